/* tls.c - TLS contexts (contract: tls.h). */
#include "tls.h"
#include "crypto.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* AES-128 first: cheaper than AES-256, as strong as the key exchange. */
static const char ciphers_12[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                 "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char ciphers_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256:P-384";

void net_tls_error(char *text, size_t bytes) {
  unsigned long code = ERR_get_error();
  net_crypto_texts();
  const char *reason = code ? ERR_reason_error_string(code) : NULL;
  if (reason)
    snprintf(text, bytes, "%s", reason);
  else if (code)
    ERR_error_string_n(code, text, bytes);
  else
    snprintf(text, bytes, "unknown error");
  ERR_clear_error();
}

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                     const unsigned char *in, unsigned in_len, void *unused) {
  (void)ssl, (void)unused;
  for (unsigned at = 0; at < in_len; at += 1u + in[at]) {
    if (in[at] != 2 || at + 2 >= in_len || memcmp(in + at + 1, "h2", 2)) continue;
    *out = in + at + 1;
    *out_len = 2;
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int fail(char *why, size_t bytes, const char *what, const char *path) {
  char reason[160];
  net_tls_error(reason, sizeof reason);
  snprintf(why, bytes, "%s %s: %s", what, path, reason);
  return 0;
}

/* OpenSSL's own message for a missing file does not say so. */
static int is_readable(const char *what, const char *path, char *why, size_t bytes) {
  if (access(path, R_OK) == 0) return 1;
  snprintf(why, bytes, "%s %s: %s", what, path, strerror(errno));
  return 0;
}

static int load(SSL_CTX *ctx, const char *cert, const char *key, char *why, size_t bytes) {
  if (!is_readable("certificate", cert, why, bytes)) return 0;
  if (!is_readable("key", key, why, bytes)) return 0;
  if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
    return fail(why, bytes, "certificate", cert);
  if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
    return fail(why, bytes, "key", key);
  if (SSL_CTX_check_private_key(ctx) != 1) return fail(why, bytes, "key", key);
  return 1;
}

/* For both sides. Buffers are given back whenever a connection falls silent: 34 KB each
 * otherwise. */
static int configure(SSL_CTX *ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
         SSL_CTX_set_cipher_list(ctx, ciphers_12) &&
         SSL_CTX_set_ciphersuites(ctx, ciphers_13) && SSL_CTX_set1_groups_list(ctx, groups);
}

/* The keys of session tickets: the same in all workers and after a reload, so that a client
 * that comes back is known wherever it arrives. They live as long as the process. */
enum { TICKET_KEY_BYTES = 80 };
static unsigned char ticket_keys[TICKET_KEY_BYTES];
static pthread_once_t ticket_once = PTHREAD_ONCE_INIT;
static int has_ticket_keys;

static void make_ticket_keys(void) {
  has_ticket_keys = RAND_bytes_ex(net_crypto(), ticket_keys, TICKET_KEY_BYTES, 0) == 1;
}

static int share_tickets(SSL_CTX *ctx) {
  pthread_once(&ticket_once, make_ticket_keys);
  return has_ticket_keys &&
         SSL_CTX_set_tlsext_ticket_keys(ctx, ticket_keys, TICKET_KEY_BYTES) == 1;
}

/* A client that comes back resumes with a ticket: one per connection, for it asks for one at a
 * time. */
static int configure_server(SSL_CTX *ctx) {
  static const unsigned char session_context[] = "valk";
  SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_num_tickets(ctx, 1);
  SSL_CTX_set_alpn_select_cb(ctx, select_h2, NULL);
  return SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1) &&
         share_tickets(ctx) && configure(ctx);
}

static SSL_CTX *new_context(const SSL_METHOD *method) {
  OSSL_LIB_CTX *crypto = net_crypto();
  ERR_clear_error();
  return crypto ? SSL_CTX_new_ex(crypto, NULL, method) : NULL;
}

SSL_CTX *net_tls_server(const char *cert, const char *key, char *why, size_t bytes) {
  SSL_CTX *ctx = new_context(TLS_server_method());
  if (ctx && configure_server(ctx)) {
    if (load(ctx, cert, key, why, bytes)) return ctx;
  } else {
    fail(why, bytes, "TLS", "cannot be set up");
  }
  SSL_CTX_free(ctx);
  return NULL;
}

/* ---- clients ----------------------------------------------------------------------------- */

/* OpenSSL looks where it was told when it was built, which is Debian's place in a program that
 * may run anywhere. */
static int trust_system(SSL_CTX *ctx) {
  static const char *const bundles[] = {
      "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo */
      "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
      "/etc/ssl/ca-bundle.pem",             /* openSUSE */
      "/etc/ssl/cert.pem",                  /* Alpine */
  };
  bool is_told =
      getenv(X509_get_default_cert_file_env()) || getenv(X509_get_default_cert_dir_env());
  if (is_told || !access(X509_get_default_cert_file(), R_OK))
    return SSL_CTX_set_default_verify_paths(ctx);
  for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
    if (!access(bundles[i], R_OK)) return SSL_CTX_load_verify_file(ctx, bundles[i]);
  return SSL_CTX_set_default_verify_paths(ctx);
}

SSL_CTX *net_tls_client(const char *ca_path, char *why, size_t bytes) {
  if (ca_path && !is_readable("certificates", ca_path, why, bytes)) return NULL;
  SSL_CTX *ctx = new_context(TLS_client_method());
  if (!ctx || !configure(ctx)) {
    fail(why, bytes, "TLS", "cannot be set up");
  } else if (!(ca_path ? SSL_CTX_load_verify_file(ctx, ca_path) : trust_system(ctx))) {
    fail(why, bytes, "certificates", ca_path ? ca_path : "of the system");
  } else {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
  }
  SSL_CTX_free(ctx);
  return NULL;
}
