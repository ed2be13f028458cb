/* stream.c - TCP and TLS as one stream of bytes (contract: stream.h). */
#include "stream.h"
#include "tls.h"
#include <assert.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static void hold_reading(NetStream *s) {
  if (s->is_reading) uv_read_stop((uv_stream_t *)&s->tcp);
  s->is_reading = false;
}

static void end(NetStream *s, const char *why) {
  if (s->is_ended) return;
  s->is_ended = true;
  hold_reading(s);
  s->events->on_end(s, why);
}

static void read_again(NetStream *s);

/* ---- writing ----------------------------------------------------------------------------- */

static void say_goodbye(NetStream *s);

static void on_written(uv_write_t *request, int status) {
  NetBuffer *b = (NetBuffer *)request;
  NetStream *s = b->stream;
  net_buffer_give(&s->loop->memory, b);
  s->pending_writes--;
  if (s->is_closing) return;
  if (status < 0) {
    end(s, uv_strerror(status));
    return;
  }
  if (s->pending_writes) return;
  s->is_blocked = false;
  if (s->is_finishing) {
    say_goodbye(s);
    return;
  }
  s->events->on_drained(s);
  if (!s->is_blocked) read_again(s);
}

/* Writes *b; what the kernel does not take waits in it, and *b is another one. */
static void write_buffer(NetStream *s, NetBuffer **to) {
  NetBuffer *b = *to;
  size_t done = 0;
  if (!b->len) return;
  if (s->is_ended || s->is_closing) {
    b->len = 0;
    return;
  }
  uv_buf_t piece = uv_buf_init((char *)b->bytes, (unsigned)b->len);
  if (!s->pending_writes) {
    int n = uv_try_write((uv_stream_t *)&s->tcp, &piece, 1);
    if (n < 0 && n != UV_EAGAIN) {
      b->len = 0;
      end(s, uv_strerror(n));
      return;
    }
    done = n < 0 ? 0 : (size_t)n;
  }
  if (done == b->len) {
    b->len = 0;
    return;
  }
  *to = net_buffer_take(&s->loop->memory);
  b->stream = s;
  piece = uv_buf_init((char *)b->bytes + done, (unsigned)(b->len - done));
  s->pending_writes++;
  s->is_blocked = true;
  hold_reading(s);
  int status = uv_write(&b->request, (uv_stream_t *)&s->tcp, &piece, 1, on_written);
  if (status == 0) return;
  s->pending_writes--;
  net_buffer_give(&s->loop->memory, b);
  end(s, uv_strerror(status));
}

/* ---- TLS --------------------------------------------------------------------------------- */

static int bio_read(BIO *bio, char *to, int len) {
  NetStream *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (!s->unread_len) {
    BIO_set_retry_read(bio);
    return -1;
  }
  size_t n = (size_t)len < s->unread_len ? (size_t)len : s->unread_len;
  memcpy(to, s->unread, n);
  s->unread += n;
  s->unread_len -= n;
  return (int)n;
}

static int bio_write(BIO *bio, const char *from, int len) {
  NetStream *s = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  for (size_t done = 0; done < (size_t)len;) {
    NetBuffer *b = s->loop->sealed;
    size_t n = (size_t)len - done, room = NET_BUFFER_BYTES - b->len;
    if (n > room) n = room;
    memcpy(b->bytes + b->len, from + done, n);
    b->len += n;
    done += n;
    if (b->len == NET_BUFFER_BYTES) write_buffer(s, &s->loop->sealed);
  }
  return len;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static int bio_create(BIO *bio) {
  BIO_set_init(bio, 1);
  return 1;
}

static const BIO_METHOD *bio_method(void) {
  static BIO_METHOD *method; /* the same whoever makes it: a race costs some bytes */
  BIO_METHOD *m = __atomic_load_n(&method, __ATOMIC_ACQUIRE);
  if (m) return m;
  m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "valk stream");
  BIO_meth_set_read(m, bio_read);
  BIO_meth_set_write(m, bio_write);
  BIO_meth_set_ctrl(m, bio_control);
  BIO_meth_set_create(m, bio_create);
  __atomic_store_n(&method, m, __ATOMIC_RELEASE);
  return m;
}

/* What is wrong is said to the peer first, if OpenSSL left an alert. */
static void end_tls(NetStream *s, const char *why) {
  write_buffer(s, &s->loop->sealed);
  end(s, why);
}

static void tls_failed(NetStream *s, int result) {
  char reason[128];
  int code = SSL_get_error(s->ssl, result);
  if (code == SSL_ERROR_ZERO_RETURN) {
    end(s, NULL);
    return;
  }
  if (code != SSL_ERROR_SSL) {
    ERR_clear_error();
    end_tls(s, "TLS stream broken");
    return;
  }
  long verdict = SSL_get_verify_result(s->ssl);
  net_tls_error(reason, sizeof reason);
  if (verdict != X509_V_OK && !SSL_is_server(s->ssl))
    snprintf(reason, sizeof reason, "its certificate is not valid: %s",
             X509_verify_cert_error_string(verdict));
  end_tls(s, reason);
}

static bool wants_more(NetStream *s, int result) {
  int code = SSL_get_error(s->ssl, result);
  return code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE;
}

static bool has_chosen_h2(const SSL *ssl) {
  const unsigned char *protocol;
  unsigned len;
  SSL_get0_alpn_selected(ssl, &protocol, &len);
  return len == 2 && !memcmp(protocol, "h2", 2);
}

/* True once the handshake is complete. What it has to say stays in `sealed`. */
static bool shake_hands(NetStream *s) {
  if (s->is_ready) return true;
  int r = SSL_do_handshake(s->ssl);
  if (r != 1) {
    if (!wants_more(s, r)) tls_failed(s, r);
    return false;
  }
  if (!has_chosen_h2(s->ssl)) {
    end_tls(s, "the peer does not speak HTTP/2 (no ALPN \"h2\")");
    return false;
  }
  s->is_ready = true;
  s->events->on_ready(s);
  return !s->is_ended && !s->is_closing;
}

/* All of this read through OpenSSL. */
static void open_bytes(NetStream *s) {
  NetLoop *l = s->loop;
  if (!shake_hands(s)) return;
  for (;;) {
    size_t len = 0;
    int r = 1;
    while (len < NET_READ_BYTES &&
           (r = SSL_read(s->ssl, l->opened + len, (int)(NET_READ_BYTES - len))) > 0)
      len += (size_t)r;
    if (len) s->events->on_bytes(s, l->opened, len);
    if (s->is_ended || s->is_closing) return;
    if (r > 0) continue;
    if (!wants_more(s, r)) tls_failed(s, r);
    return;
  }
}

static void seal_bytes(NetStream *s) {
  NetBuffer *out = s->loop->out;
  for (size_t done = 0; done < out->len && !s->is_ended;) {
    int n = SSL_write(s->ssl, out->bytes + done, (int)(out->len - done));
    if (n > 0)
      done += (size_t)n;
    else
      tls_failed(s, n);
  }
  out->len = 0;
}

void net_stream_send(NetStream *s) {
  assert(s->is_ready);
  if (!s->ssl) {
    write_buffer(s, &s->loop->out);
    return;
  }
  seal_bytes(s);
  write_buffer(s, &s->loop->sealed);
}

/* ---- reading ----------------------------------------------------------------------------- */

static void offer_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
  NetStream *s = (NetStream *)handle;
  (void)wanted;
  *buffer = uv_buf_init((char *)s->loop->in, NET_READ_BYTES);
}

/* We are done; the peer may not be yet. What it still sends is read, as closing with it unread
 * would reset the connection, but not for ever. */
static void drop_bytes(NetStream *s, ssize_t n) {
  enum { DROPPED_MAX = 1 << 20 };
  if (n < 0)
    net_stream_close(s);
  else if ((s->dropped += (size_t)n) > DROPPED_MAX)
    hold_reading(s);
}

static void on_socket_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buffer) {
  NetStream *s = (NetStream *)handle;
  if (n == 0) return;
  if (s->is_finishing) {
    drop_bytes(s, n);
    return;
  }
  if (n < 0) {
    end(s, n == UV_EOF ? NULL : uv_strerror((int)n));
    return;
  }
  if (s->ssl) {
    s->unread = (const uint8_t *)buffer->base;
    s->unread_len = (size_t)n;
    open_bytes(s);
  } else {
    s->events->on_bytes(s, (const uint8_t *)buffer->base, (size_t)n);
  }
  if (s->is_closing) return;
  if (!s->is_ended && s->is_ready && !s->is_finishing) s->events->on_read(s);
  /* Handshakes, alerts and tickets, if no answer took them along. */
  if (s->ssl && !s->is_closing) write_buffer(s, &s->loop->sealed);
}

static void read_on(NetStream *s) {
  s->is_reading = uv_read_start((uv_stream_t *)&s->tcp, offer_room, on_socket_read) == 0;
}

static void read_again(NetStream *s) {
  if (!s->is_reading && !s->is_ended && !s->is_closing && !s->is_finishing) read_on(s);
}

/* ---- life -------------------------------------------------------------------------------- */

int net_stream_init(NetStream *s, NetLoop *l, const NetStreamEvents *events) {
  s->loop = l;
  s->events = events;
  return uv_tcp_init(&l->uv, &s->tcp);
}

void net_stream_start(NetStream *s, SSL *ssl) {
  uv_tcp_nodelay(&s->tcp, 1);
  s->ssl = ssl;
  if (ssl) {
    BIO *bio = BIO_new(bio_method());
    if (!bio) {
      end(s, "out of memory");
      return;
    }
    BIO_set_data(bio, s);
    SSL_set_bio(ssl, bio, bio);
    net_loop_need_tls(s->loop);
    if (SSL_is_server(ssl)) {
      read_again(s);
      return;
    }
    shake_hands(s); /* a client speaks first */
    if (!s->is_closing) write_buffer(s, &s->loop->sealed);
  } else {
    s->is_ready = true;
    s->events->on_ready(s);
  }
  read_again(s);
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  NetStream *s = request->data;
  if (status < 0) net_stream_close(s);
}

/* The peer gets the end of the stream; closing at once would reset it, and what the peer has
 * not read yet would be lost to it. */
static void say_goodbye(NetStream *s) {
  if (s->shutdown.data) return;
  if (s->ssl && s->is_ready) {
    SSL_shutdown(s->ssl);
    ERR_clear_error();
    write_buffer(s, &s->loop->sealed);
    if (s->is_blocked) return;
  }
  s->shutdown.data = s;
  if (uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp, on_shutdown))
    net_stream_close(s);
  else
    read_on(s);
}

void net_stream_finish(NetStream *s) {
  if (s->is_closing || s->is_finishing) return;
  s->is_finishing = true;
  hold_reading(s);
  if (s->is_ended)
    net_stream_close(s);
  else if (!s->is_blocked)
    say_goodbye(s);
}

static void on_close(uv_handle_t *handle) {
  NetStream *s = (NetStream *)handle;
  SSL_free(s->ssl);
  s->ssl = NULL;
  s->events->on_closed(s);
}

void net_stream_close(NetStream *s) {
  if (s->is_closing) return;
  s->is_closing = true;
  s->is_ended = true;
  hold_reading(s);
  /* A session whose connection just ends would not be resumed. */
  if (s->ssl && s->is_ready) SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN);
  if (s->loop->sealed) s->loop->sealed->len = 0;
  uv_close((uv_handle_t *)&s->tcp, on_close);
}
