/* crypto.c - a library context of OpenSSL that knows fewer algorithms (contract: crypto.h).
 *
 * OpenSSL 3 builds a method for every algorithm of an operation when the first of them is
 * looked up: 130 ciphers, of which TLS as we offer it uses three. That, and trying each of 40
 * decoders on each key, was 16 of 21 million instructions from exec to the first response. The
 * context here has one provider, OpenSSL's default one, whose answer to "which algorithms have
 * you?" is cut down to a table. tests/net/keys.sh has a case for each kind of key in it;
 * bench/http2/start measures. */
#define OPENSSL_SUPPRESS_DEPRECATED /* ERR_load_...: nothing else loads texts late */
#include "crypto.h"
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* Declared in no header, but in every libcrypto.a: the table of predefined providers refers to
 * it. */
extern OSSL_provider_init_fn ossl_default_provider_init;

/* ---- what is kept ------------------------------------------------------------------------ */

/* An operation and the names to keep, each by its first one in the provider's table. */
typedef struct Kept {
  int operation;
  const char *const *names;
} Kept;

static const char *const digests[] = {
    "SHA2-256",  "SHA2-384", "SHA2-512",
    "SHA2-224",  "SHA1",     /* signatures, identifiers of keys */
    "SHAKE-256",             /* Ed448 */
    "MD5",       "MD5-SHA1", /* encrypted keys in old PEM files; TLS 1.2's state machine */
    NULL};
static const char *const ciphers[] = {
    "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", /* offered */
    "AES-256-CBC",                                     /* tickets */
    "AES-256-CTR", "AES-256-ECB",                      /* random numbers */
    "AES-128-CBC", "AES-192-CBC", "DES-EDE3-CBC",      /* encrypted keys */
    NULL};
static const char *const macs[] = {"HMAC", NULL};
static const char *const kdfs[] = {"HKDF", "TLS13-KDF", "TLS1-PRF", "PBKDF2", "SCRYPT", NULL};
static const char *const rands[] = {"CTR-DRBG", "SEED-SRC", NULL};
static const char *const keys[] = {"EC",    "X25519",   "RSA",  "RSA-PSS", "ED25519",
                                   "ED448", "TLS1-PRF", "HKDF", "HMAC",    NULL};
static const char *const exchanges[] = {"X25519", "ECDH", "TLS1-PRF", "HKDF", NULL};
static const char *const signatures[] = {"ECDSA", "RSA", "ED25519", "ED448", "HMAC", NULL};
static const char *const decoders[] = {"DER", "EC", "RSA", "RSA-PSS", "ED25519", "ED448", NULL};
static const char *const none[] = {NULL};

/* Operations that are not here keep everything. */
static const Kept kept[] = {
    {OSSL_OP_DIGEST, digests},    {OSSL_OP_CIPHER, ciphers},
    {OSSL_OP_MAC, macs},          {OSSL_OP_KDF, kdfs},
    {OSSL_OP_RAND, rands},        {OSSL_OP_KEYMGMT, keys},
    {OSSL_OP_KEYEXCH, exchanges}, {OSSL_OP_SIGNATURE, signatures},
    {OSSL_OP_DECODER, decoders},  {OSSL_OP_ASYM_CIPHER, none},
    {OSSL_OP_KEM, none},          {OSSL_OP_ENCODER, none},
    {OSSL_OP_STORE, none},
};
enum { OPERATIONS = sizeof kept / sizeof *kept, ALGORITHMS_MAX = 24 };

/* Microsoft's formats, and second names for formats that "type-specific" has. */
static bool is_spare_format(const char *properties) {
  static const char *const spare[] = {"msblob", "pvk", "structure=ec", "structure=rsa"};
  for (size_t i = 0; i < sizeof spare / sizeof *spare; i++)
    if (strstr(properties, spare[i])) return true;
  return false;
}

static bool is_kept(const OSSL_ALGORITHM *a, const Kept *k) {
  size_t len = strcspn(a->algorithm_names, ":");
  if (k->operation == OSSL_OP_DECODER && is_spare_format(a->property_definition)) return false;
  for (const char *const *name = k->names; *name; name++)
    if (strlen(*name) == len && !memcmp(*name, a->algorithm_names, len)) return true;
  return false;
}

/* ---- the provider ------------------------------------------------------------------------ */

/* Filled when the provider is loaded, constant from then on. Each list ends with an empty
 * row. */
static OSSL_ALGORITHM algorithms[OPERATIONS][ALGORITHMS_MAX + 1];
static OSSL_FUNC_provider_query_operation_fn *query_all;

static const OSSL_ALGORITHM *query_kept(void *provider, int operation, int *no_cache) {
  *no_cache = 0;
  for (size_t i = 0; i < OPERATIONS; i++)
    if (kept[i].operation == operation) return algorithms[i];
  return query_all(provider, operation, no_cache);
}

static bool fill(void *provider) {
  for (size_t i = 0; i < OPERATIONS; i++) {
    int no_cache, count = 0;
    const OSSL_ALGORITHM *a = query_all(provider, kept[i].operation, &no_cache);
    for (; a && a->algorithm_names; a++) {
      if (!is_kept(a, &kept[i])) continue;
      if (count == ALGORITHMS_MAX) return false;
      algorithms[i][count++] = *a;
    }
  }
  return true;
}

static int init_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                         const OSSL_DISPATCH **out, void **provider) {
  enum { FUNCTIONS_MAX = 31 };
  static OSSL_DISPATCH functions[FUNCTIONS_MAX + 1];
  size_t count = 0;
  if (!ossl_default_provider_init(handle, core, out, provider)) return 0;
  for (const OSSL_DISPATCH *f = *out; f->function_id; f++, count++) {
    if (count == FUNCTIONS_MAX) return 0;
    functions[count] = *f;
    if (f->function_id != OSSL_FUNC_PROVIDER_QUERY_OPERATION) continue;
    query_all = OSSL_FUNC_provider_query_operation(f);
    functions[count].function = (void (*)(void))query_kept;
  }
  *out = functions;
  return query_all && fill(*provider);
}

/* ---- the context ------------------------------------------------------------------------- */

/* OpenSSL's lists of ciphers and digests by name are for older interfaces; these few are still
 * asked for: digests of signatures on certificates, ciphers of encrypted keys in old PEM
 * files. */
static void name_old_methods(void) {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS, NULL);
  EVP_add_digest(EVP_sha256());
  EVP_add_digest(EVP_sha384());
  EVP_add_digest(EVP_sha512());
  EVP_add_digest(EVP_sha224());
  EVP_add_digest(EVP_sha1());
  EVP_add_digest(EVP_md5());
  EVP_add_cipher(EVP_aes_256_cbc());
  EVP_add_cipher(EVP_aes_192_cbc());
  EVP_add_cipher(EVP_aes_128_cbc());
  EVP_add_cipher(EVP_des_ede3_cbc());
}

static OSSL_LIB_CTX *context;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;

/* Without openssl.cnf: what is offered does not depend on the machine. */
static void make_context(void) {
  static const char name[] = "valk";
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
  name_old_methods();
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS, NULL);
  context = OSSL_LIB_CTX_new();
  if (!context) return;
  if (OSSL_PROVIDER_add_builtin(context, name, init_provider) &&
      OSSL_PROVIDER_load(context, name))
    return;
  OSSL_LIB_CTX_free(context);
  context = NULL;
}

OSSL_LIB_CTX *net_crypto(void) {
  pthread_once(&context_once, make_context);
  return context;
}

static void load_texts(void) {
  static int (*const loaders[])(void) = {
      ERR_load_ERR_strings,  ERR_load_SSL_strings,    ERR_load_CRYPTO_strings,
      ERR_load_X509_strings, ERR_load_PEM_strings,    ERR_load_EVP_strings,
      ERR_load_ASN1_strings, ERR_load_X509V3_strings, ERR_load_RSA_strings,
      ERR_load_EC_strings,   ERR_load_BN_strings,     ERR_load_BIO_strings,
      ERR_load_RAND_strings, ERR_load_OBJ_strings,    ERR_load_PKCS12_strings,
      ERR_load_CONF_strings,
  };
  for (size_t i = 0; i < sizeof loaders / sizeof *loaders; i++) loaders[i]();
}

void net_crypto_texts(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load_texts);
}
