/* first ROUNDS PORT COMMAND [-- COMMAND]...: start servers of HTTP/2 over TLS in turn, ROUNDS times each, and
 * print per command the median and the least of the microseconds from posix_spawn to the first byte of
 * the response to "GET /hello.txt", then of those until the port took the connection.
 *
 * Every command listens on PORT of 127.0.0.1. The client's own part is small: its TLS context is made, and
 * has shaken hands, before the first round counts; it tries to connect every 20 us. Interleaved, so that
 * what else the machine does touches all commands alike. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
enum { COMMANDS_MAX = 16, PATIENCE_US = 5000000, FRAME_HEAD = 9, HEADERS = 1 };

static SSL_CTX *ctx;
static struct sockaddr_in address;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static _Noreturn void fail(const char *command, const char *what) {
  fprintf(stderr, "first: %s: %s\n", command, what);
  exit(1);
}

static int connect_to(const char *command) {
  const struct timespec pause = {.tv_nsec = 20000};
  int on = 1;
  for (double start = now_us(); now_us() - start < PATIENCE_US; nanosleep(&pause, NULL)) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!connect(fd, (struct sockaddr *)&address, sizeof address)) return fd;
    close(fd);
  }
  fail(command, "does not listen");
}

/* The preface, SETTINGS, and HEADERS of stream 1: GET, https, authority x, path /hello.txt. */
static const char question[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                               "\0\0\0\4\0\0\0\0\0"
                               "\0\0\x11\1\5\0\0\0\1"
                               "\x82\x87\x41\1x\x04\x0a/hello.txt";

/* Frames up to the first HEADERS. */
static int has_answered(SSL *ssl) {
  unsigned char bytes[16384];
  int have = 0, at = 0;
  for (;;) {
    int n = SSL_read(ssl, bytes + have, (int)sizeof bytes - have);
    if (n <= 0) return 0;
    have += n;
    while (have - at >= FRAME_HEAD) {
      if (bytes[at + 3] == HEADERS) return 1;
      at += FRAME_HEAD + (bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2]);
    }
  }
}

static void run_once(char **argv, double *until_response, double *until_connected) {
  static const unsigned char h2[] = "\2h2";
  posix_spawn_file_actions_t actions;
  pid_t pid;
  SSL *ssl = SSL_new(ctx);
  SSL_set_alpn_protos(ssl, h2, sizeof h2 - 1);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  double start = now_us();
  if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ)) fail(argv[0], "cannot start");
  int fd = connect_to(argv[0]);
  *until_connected = now_us() - start;
  SSL_set_fd(ssl, fd);
  if (SSL_connect(ssl) != 1) fail(argv[0], "no handshake");
  SSL_write(ssl, question, sizeof question - 1);
  if (!has_answered(ssl)) fail(argv[0], "no response");
  *until_response = now_us() - start;
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  SSL_free(ssl);
  close(fd);
  posix_spawn_file_actions_destroy(&actions);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void show(double *times, int rounds) {
  qsort(times, (size_t)rounds, sizeof *times, by_size);
  printf("%.0f %.0f ", times[rounds / 2], times[0]);
}

int main(int argc, char **argv) {
  char **commands[COMMANDS_MAX];
  int count = 0, rounds = argc > 3 ? atoi(argv[1]) : 0;
  if (rounds < 1) return 2;
  address =
      (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  commands[count++] = argv + 3;
  for (int i = 3; i < argc; i++) {
    if (strcmp(argv[i], "--") != 0) continue;
    argv[i] = NULL;
    if (count == COMMANDS_MAX) return 2;
    commands[count++] = argv + i + 1;
  }
  signal(SIGPIPE, SIG_IGN);
  ctx = SSL_CTX_new(TLS_client_method());
  double *responses = malloc((size_t)(count * rounds) * sizeof *responses);
  double *connects = malloc((size_t)(count * rounds) * sizeof *connects);
  if (!ctx || !responses || !connects) return 1;
  for (int round = -1; round < rounds; round++) /* the first is for the caches */
    for (int k = 0; k < count; k++) {
      double response, connected;
      run_once(commands[k], &response, &connected);
      if (round < 0) continue;
      responses[k * rounds + round] = response;
      connects[k * rounds + round] = connected;
    }
  for (int k = 0; k < count; k++) {
    show(responses + k * rounds, rounds);
    show(connects + k * rounds, rounds);
    putchar('\n');
  }
  return 0;
}
