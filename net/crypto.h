/* crypto.h - OpenSSL with what TLS needs of it. */
#ifndef NET_CRYPTO_H
#define NET_CRYPTO_H
#include <openssl/types.h>

/* The process's library context, made at the first call, in any thread; NULL if it cannot be.
 * Everything that makes a TLS context, reads a certificate or takes random bytes names it: what
 * does not falls back to OpenSSL's own, which works and costs milliseconds. */
OSSL_LIB_CTX *net_crypto(void);

/* Before the text of an error is asked for: they are not loaded at the start, a tenth of its time. */
void net_crypto_texts(void);
#endif
