#include <stdio.h>
#include <stdlib.h>
typedef struct E {
  long to, w;
  struct E *next;
} E;
typedef struct {
  long d, n;
} H;
static H *h;
static long hn, hc;
static long nx(long x) { return (x * 1103515245 + 12345) % 2147483648; }
static void sw(long i, long j) {
  H t = h[i];
  h[i] = h[j];
  h[j] = t;
}
static void push(H x) {
  if (hn == hc) {
    hc = hc ? 2 * hc : 16;
    h = realloc(h, hc * sizeof *h);
  }
  h[hn++] = x;
  long i = hn - 1;
  while (i > 0) {
    long u = (i - 1) / 2;
    if (h[i].d < h[u].d) {
      sw(i, u);
      i = u;
    } else
      break;
  }
}
static H pop(void) {
  H top = h[0], last = h[--hn];
  if (hn > 0) {
    h[0] = last;
    long i = 0;
    for (;;) {
      long l = 2 * i + 1, r = 2 * i + 2, s = i;
      if (l < hn && h[l].d < h[s].d)
        s = l;
      if (r < hn && h[r].d < h[s].d)
        s = r;
      if (s == i)
        break;
      sw(i, s);
      i = s;
    }
  }
  return top;
}
int main(void) {
  long n = 50000, m = 400000, INF = 1000000000;
  E **g = calloc(n, sizeof *g);
  long x = 7;
  for (long k = 0; k < m; k++) {
    long a = nx(x), b = nx(a), z = nx(b);
    long f = (a / 8) % n, t = (b / 8) % n;
    E *e = malloc(sizeof *e);
    e->to = t;
    e->w = 1 + (z / 65536) % 100;
    e->next = g[f];
    g[f] = e;
    x = z;
  }
  long *d = malloc(n * 8);
  for (long i = 0; i < n; i++)
    d[i] = INF;
  d[0] = 0;
  push((H){0, 0});
  while (hn > 0) {
    H t = pop();
    if (t.d == d[t.n])
      for (E *e = g[t.n]; e; e = e->next) {
        long nd = t.d + e->w;
        if (nd < d[e->to]) {
          d[e->to] = nd;
          push((H){nd, e->to});
        }
      }
  }
  long s = 0, mx = 0;
  for (long i = 0; i < n; i++)
    if (d[i] != INF) {
      s += d[i];
      if (d[i] > mx)
        mx = d[i];
    }
  printf("%ld %ld\n", s, mx);
}
