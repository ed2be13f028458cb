/* least PORT CERT KEY: the least that a server on OpenSSL can be: one connection, one canned answer. With
 * default contexts and no HTTP/2 but constant frames, it is what a server's start is compared with. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *len,
                     const unsigned char *in, unsigned in_len, void *unused) {
  (void)ssl, (void)in_len, (void)unused; /* the client offers h2 alone */
  *out = in + 1;
  *len = in[0];
  return SSL_TLSEXT_ERR_OK;
}

int main(int argc, char **argv) {
  static const char answer[] = "\0\0\0\4\0\0\0\0\0"
                               "\0\0\1\1\5\0\0\0\1\x88";
  struct sockaddr_in address = {.sin_family = AF_INET};
  int on = 1;
  char bytes[4096];
  if (argc != 4) return 2;
  address.sin_port = htons((uint16_t)atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
  SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(ctx, argv[2]) != 1) return 1;
  if (SSL_CTX_use_PrivateKey_file(ctx, argv[3], SSL_FILETYPE_PEM) != 1) return 1;
  SSL_CTX_set_alpn_select_cb(ctx, select_h2, NULL);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 8))
    return 1;
  SSL *ssl = SSL_new(ctx);
  int fd = accept(listener, NULL, NULL);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  SSL_set_fd(ssl, fd);
  if (SSL_accept(ssl) != 1 || SSL_read(ssl, bytes, sizeof bytes) <= 0) return 1;
  SSL_write(ssl, answer, sizeof answer - 1);
  pause();
  return 0;
}
