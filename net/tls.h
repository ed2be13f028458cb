/* tls.h - TLS contexts: certificates, and what is offered.
 *
 * TLS 1.2 and 1.3, only cipher suites that HTTP/2 allows (RFC 9113, 9.2.2), X25519 before
 * P-256, ALPN "h2" required. OpenSSL is set up at the first context (crypto.h); cleartext
 * servers do not pay for it. */
#ifndef NET_TLS_H
#define NET_TLS_H
#include <openssl/ssl.h>
#include <stddef.h>

/* A context with that certificate chain and private key (PEM). NULL after writing why into
 * `why`: the file, and what is wrong with it. */
SSL_CTX *net_tls_server(const char *cert_path, const char *key_path, char *why,
                        size_t why_bytes);

/* A context for clients that verify whom they talk to: with the PEM bundle at ca_path, or, if
 * that is NULL, with those the system trusts (SSL_CERT_FILE and SSL_CERT_DIR, or where
 * distributions have them). NULL after writing why. */
SSL_CTX *net_tls_client(const char *ca_path, char *why, size_t why_bytes);

/* OpenSSL's oldest queued error as text, or "unknown error"; empties the queue. */
void net_tls_error(char *text, size_t bytes);
#endif
