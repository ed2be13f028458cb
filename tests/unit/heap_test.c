/* heap_test.c - the collector against a model, and the traps of its design one by one.
 *
 * The model knows of every node its kind and the nodes it refers to; what is reachable from the
 * roots must always look like the model says, whatever is collected when. */
#include "../../rt/heap_impl.h"
#include "../../rt/scratch.h"
#include "check.h"
#include "isolate.h"
#include "random.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static vk *begin(unsigned stress, size_t limit_bytes) {
  return isolate_begin((VkLimits){
      .heap_limit_bytes = limit_bytes, .arena_bytes = 256 << 10, .gc_stress = stress});
}

/* ---- random graphs ------------------------------------------------------------------------ */

typedef enum NodeKind {
  NODE_PAIR,
  NODE_STORE,
  NODE_CLOSURE,
  NODE_PAP,
  NODE_STRING,
  NODE_KINDS
} NodeKind;
enum { ROOTS = 40, NODES_MAX = 400000, NOTHING = 0 };
typedef struct Node { /* number 0 is no node */
  NodeKind kind;
  uint32_t count;
  uint32_t *refs;
} Node;
static Node *nodes;
static uint32_t node_count;

/* First word of the fields of a node, number first. */
static V *node_fields(V v) {
  if (VK_IS_PAIR(v)) return (V *)VK_PAIR(v);
  V *object = VK_OBJ(v);
  switch (VK_HDR_KIND(*object)) {
  case VK_CLOSURE: return object + 3;
  case VK_PAP: return object + 1;
  default: return object + 2;
  }
}

static uint32_t node_number(V v) {
  if (VK_IS_NIL(v)) return NOTHING;
  if (VK_IS_OBJ(v) && VK_HDR_KIND(*VK_OBJ(v)) == VK_STRING)
    return *(uint32_t *)VK_STR(v)->bytes;
  return (uint32_t)VK_INT(node_fields(v)[0]);
}

static uint32_t random_size(void) {
  switch (below(64)) {
  case 0: return below(6000); /* large */
  case 1:
  case 2: return below(700);
  case 3: return below(60);
  default: return below(7);
  }
}

static V node_alloc(vk *c, NodeKind kind, uint32_t count, V **fields) {
  static const size_t heads[] = {0, 2, 3, 1, 2};
  V *o = vk_new(c, (heads[kind] + 1 + count) * sizeof(V));
  for (size_t i = 0; i < heads[kind] + 1 + count; i++)
    if (o[i]) fprintf(stderr, "a new cell is not zero\n"), abort();
  *fields = o + heads[kind];
  if (kind == NODE_STORE) {
    o[0] = VK_HDR(VK_STORE, 0, 0);
    o[1] = count + 1;
  } else if (kind == NODE_CLOSURE) {
    o[0] = VK_HDR(VK_CLOSURE, 1, count + 1);
  } else {
    o[0] = VK_HDR(VK_PAP, 0, count);
  }
  return VK_FROM_OBJ(o);
}

static V string_new(vk *c, uint32_t number) {
  size_t len = 4 + below(100);
  VkString *s = vk_new(c, sizeof *s + len + 1);
  s->hdr = VK_HDR(VK_STRING, 0, 0);
  s->len = len;
  memcpy(s->bytes, &number, 4);
  for (size_t i = 4; i < len; i++)
    s->bytes[i] = ((const char *)&c->heap->base)[i % 8]; /* like pointers */
  return VK_FROM_OBJ(s);
}

/* A new node that refers to some of the values in `roots`. */
static V node_new(vk *c, const V *roots) {
  uint32_t number = ++node_count;
  Node *n = &nodes[number];
  n->kind = (NodeKind)below(NODE_KINDS);
  n->count = n->kind == NODE_PAIR ? 1 : n->kind == NODE_STRING ? 0 : random_size();
  n->refs = calloc(n->count + 1, sizeof *n->refs);
  if (n->kind == NODE_STRING) return string_new(c, number);
  if (n->kind == NODE_PAIR) {
    V to = roots[below(ROOTS)];
    n->refs[0] = node_number(to);
    return vk_cons(c, VK_FIX(number), to);
  }
  V *fields, v = node_alloc(c, n->kind, n->count, &fields);
  fields[0] = VK_FIX(number);
  for (uint32_t i = 0; i < n->count; i++) {
    V to = below(4) ? VK_NIL : roots[below(ROOTS)];
    fields[1 + i] = to;
    n->refs[i] = node_number(to);
  }
  return v;
}

/* Some node not far from a root. */
static V random_node(const V *roots) {
  V v = roots[below(ROOTS)];
  for (uint32_t steps = below(6); steps && !VK_IS_NIL(v); steps--) {
    const Node *n = &nodes[node_number(v)];
    if (!n->count) break;
    V next = node_fields(v)[1 + below(n->count)];
    if (VK_IS_NIL(next)) break;
    v = next;
  }
  return v;
}

static void mutate(vk *c, const V *roots) {
  V v = random_node(roots), to = random_node(roots);
  Node *n = &nodes[node_number(v)];
  if (VK_IS_NIL(v) || !n->count) return;
  uint32_t i = below(n->count);
  if (!below(4)) to = VK_NIL;
  vk_write(c, v, &node_fields(v)[1 + i], to);
  n->refs[i] = node_number(to);
}

static unsigned char *seen;
static V *walk;
static size_t walk_count;

static void visit(V v, uint32_t expected) {
  if (node_number(v) != expected) {
    fprintf(stderr, "node %u, the model has %u\n", node_number(v), expected);
    abort();
  }
  if (VK_IS_NIL(v) || seen[expected]) return;
  seen[expected] = 1;
  walk[walk_count++] = v;
}

/* Everything reachable is as the model says. */
static void verify(const V *roots, const uint32_t *numbers) {
  memset(seen, 0, node_count + 1);
  walk_count = 0;
  for (int i = 0; i < ROOTS; i++) visit(roots[i], numbers[i]);
  while (walk_count) {
    V v = walk[--walk_count];
    const Node *n = &nodes[node_number(v)];
    for (uint32_t i = 0; i < n->count; i++) visit(node_fields(v)[1 + i], n->refs[i]);
  }
}

/* `global`: half of the roots are globals instead of words of this frame. */
static __attribute__((noinline)) void churn(vk *c, uint32_t steps, uint32_t verify_each) {
  V roots[ROOTS];
  uint32_t numbers[ROOTS] = {0};
  for (int i = 0; i < ROOTS; i++) roots[i] = VK_NIL;
  for (uint32_t step = 0; step < steps && node_count + 1 < NODES_MAX; step++) {
    uint32_t i = below(ROOTS);
    switch (below(8)) {
    case 0:
      roots[i] = below(4) ? random_node(roots) : VK_NIL;
      numbers[i] = node_number(roots[i]);
      break;
    case 1:
    case 2:
    case 3: mutate(c, roots); break;
    default: roots[i] = node_new(c, roots); numbers[i] = node_count;
    }
    if (step % verify_each == 0) {
      verify(roots, numbers);
      if (!CHECK(heap_is_valid(c->heap))) return;
    }
  }
  verify(roots, numbers);
}

static uint64_t fulls, overflows; /* in all tests: that they happened at all */

static __attribute__((noinline)) void test_random(uint64_t seed, unsigned stress,
                                                  uint32_t steps, size_t stack_max) {
  random_state = seed;
  node_count = 0;
  vk *c = begin(stress, (size_t)1 << 30);
  c->heap->full_trigger_bytes = 64 << 10;
  if (stack_max) c->heap->mark_stack_max = stack_max;
  churn(c, steps, stress ? 50 : 2000);
  fulls += c->heap->stats.full_count;
  overflows += c->heap->stats.overflows;
  for (uint32_t i = 1; i <= node_count; i++) free(nodes[i].refs);
  isolate_end(c);
}

/* ---- deep structures ---------------------------------------------------------------------- */

static V cons_deep(vk *c, size_t n, bool by_head) {
  V l = vk_cons(c, VK_NIL, VK_NIL);
  for (size_t i = 1; i < n; i++) l = by_head ? vk_cons(c, l, l) : vk_cons(c, VK_FIX(i), l);
  return l;
}

static V vector_deep(vk *c, size_t n) {
  V v = VK_NIL;
  for (size_t i = 0; i < n; i++) {
    V *fields, inner = node_alloc(c, NODE_STORE, 0, &fields);
    fields[0] = v;
    v = inner;
  }
  return v;
}

static __attribute__((noinline)) void test_deep(size_t n) {
  vk *c = begin(0, (size_t)8 << 30);
  V list = cons_deep(c, n, false), tree = cons_deep(c, n, true), nested = vector_deep(c, n);
  vk_collect(c);
  size_t length = 0, depth = 0, height = 0;
  for (V l = list; !VK_IS_NIL(l); l = VK_TAIL(l)) length++;
  for (V l = tree; !VK_IS_NIL(l); l = VK_HEAD(l)) height++;
  for (V v = nested; !VK_IS_NIL(v); v = VK_STOREP(v)->items[0]) depth++;
  CHECK(length == n);
  CHECK(height == n);
  CHECK(depth == n);
  isolate_end(c);
}

/* ---- DESIGN-REVIEW 12: a stale word must not make a free cell old ------------------------- */

static __attribute__((noinline)) V stale_step(vk *c, V *young) {
  /* a pair in a cell that a stale word points at; its child must survive with it */
  *young = vk_cons(c, VK_FIX(42), VK_NIL);
  return vk_cons(c, *young, VK_NIL);
}

static __attribute__((noinline)) void test_stale_words(void) {
  vk *c = begin(0, 64 << 20);
  V young, first = vk_cons(c, VK_NIL, VK_NIL);
  uintptr_t stale[64]; /* words that point at cells not yet allocated */
  for (int i = 0; i < 64; i++) stale[i] = (uintptr_t)first + 16 + 16 * (uintptr_t)i;
  __asm__ volatile("" : : "r"(stale) : "memory");
  c->heap->budget = 0;
  heap_event(c->heap);
  V parent = stale_step(c, &young);
  young = 0;
  c->heap->budget = 0;
  heap_event(c->heap);
  for (int i = 0; i < 100000; i++) vk_cons(c, VK_FIX(7), VK_NIL);
  CHECK(VK_HEAD(VK_HEAD(parent)) == VK_FIX(42));
  __asm__ volatile("" : : "r"(stale) : "memory");
  isolate_end(c);
}

/* ---- roots -------------------------------------------------------------------------------- */

static __attribute__((noinline)) bool is_allocated(vk *c, V v) {
  return heap_find(c->heap, v) == v;
}

/* The complement of a word refers to nothing. Not inlined: else both may be on the stack. */
static __attribute__((noinline)) V hide(V v) {
  __asm__ volatile("" : "+r"(v));
  return ~v;
}

/* fn some way down the stack, so that wipe_stack reaches the words it leaves. */
static __attribute__((noinline)) V deeper(V (*fn)(vk *, size_t), vk *c, size_t n) {
  volatile char room[2048];
  room[0] = room[sizeof room - 1] = 0;
  V v = fn(c, n);
  room[1] = 0;
  return v;
}

static V make_hidden_pair(vk *c, size_t n) { return hide(vk_cons(c, VK_FIX(n), VK_NIL)); }
static V hidden_pair(vk *c) { return deeper(make_hidden_pair, c, 1); }
static __attribute__((noinline)) void wipe_stack(void) {
  volatile char area[64 << 10];
  for (size_t i = 0; i < sizeof area; i++) area[i] = 0;
}

static __attribute__((noinline)) void test_roots(void) {
  vk *c = begin(0, 64 << 20);
  V slot = VK_NIL, global[2] = {VK_NIL, VK_NIL};
  VkProgram program = {.global_count = 2};
  c->program = &program;
  V *outside = calloc(1, sizeof *outside); /* malloc memory is not scanned */
  c->globals = calloc(2, sizeof(V));
  (void)global, (void)slot;
  V lost = hidden_pair(c), in_root = hidden_pair(c), in_global = hidden_pair(c);
  V in_park = hidden_pair(c), in_xargs = hidden_pair(c);
  *outside = hide(in_root);
  vk_root_add(c, outside);
  c->globals[1] = hide(in_global);
  c->park_n = 3;
  c->park_args[2] = hide(in_park);
  c->xargs[200] = hide(in_xargs);
  wipe_stack();
  vk_collect(c);
  CHECK(!is_allocated(c, hide(lost)));
  CHECK(is_allocated(c, hide(in_root)));
  CHECK(is_allocated(c, hide(in_global)));
  CHECK(is_allocated(c, hide(in_park)));
  CHECK(is_allocated(c, hide(in_xargs)));
  vk_root_remove(c, outside);
  wipe_stack();
  vk_collect(c);
  CHECK(!is_allocated(c, hide(in_root)));
  free(outside);
  free(c->globals);
  isolate_end(c);
}

/* Any address in an object counts, whatever its low bits; one outside does not. */
static __attribute__((noinline)) void test_interior(void) {
  vk *c = begin(0, 64 << 20);
  V *fields;
  static const uint32_t counts[] = {1, 6, 20, 40, 500, 3000, 100000};
  for (unsigned k = 0; k < sizeof counts / sizeof *counts; k++) {
    V v = node_alloc(c, NODE_STORE, counts[k], &fields);
    char *start = (char *)VK_OBJ(v), *last = start + (counts[k] + 3) * 8 - 1;
    CHECK(heap_find(c->heap, (uintptr_t)start) == v);
    CHECK(heap_find(c->heap, (uintptr_t)last) == v);
    CHECK(heap_find(c->heap, (uintptr_t)start + (size_t)(last - start) / 2) == v);
  }
  CHECK(heap_find(c->heap, (uintptr_t)c->heap->base - 1) == 0);
  CHECK(heap_find(c->heap, 0) == 0);
  CHECK(heap_find(c->heap, ~(uintptr_t)0) == 0);
  isolate_end(c);
}

/* Each callee-saved register alone keeps what it holds. */
static __attribute__((noinline)) void test_registers(void) {
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
  vk *c = begin(0, 64 << 20);
#define TRY(reg)                                                                               \
  do {                                                                                         \
    V hidden = hidden_pair(c);                                                                 \
    wipe_stack();                                                                              \
    __asm__ volatile("movq %1, %%" reg "\n\tnotq %%" reg "\n\tmovq %0, %%rdi\n\t"              \
                     "call *%2"                                                                \
                     :                                                                         \
                     : "r"(c), "r"(hidden), "r"((size_t(*)(vk *))vk_collect)                   \
                     : reg, "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",       \
                       "memory", "cc");                                                        \
    CHECK(is_allocated(c, hide(hidden)));                                                      \
  } while (0)
  TRY("rbx");
  TRY("r12");
  TRY("r13");
  TRY("r14");
  TRY("r15");
#undef TRY
  isolate_end(c);
#endif
}

/* ---- scratch points to the heap ------------------------------------------------------------ */

static __attribute__((noinline)) void test_scratch_roots(void) {
  vk *c = begin(1, 64 << 20);
  char *mark = vk_scratch_mark(c, 0);
  V l = VK_NIL;
  for (int i = 0; i < 5000; i++) l = vk_scratch_cons(c, 0, vk_cons(c, VK_FIX(i), VK_NIL), l);
  V keep = l;
  int n = 0;
  for (V p = l; !VK_IS_NIL(p); p = VK_TAIL(p), n++)
    if (VK_HEAD(VK_HEAD(p)) != VK_FIX(4999 - n)) break;
  CHECK(n == 5000);
  CHECK(scratch_is_valid(c));
  (void)keep;
  vk_scratch_reset(c, 0, mark);
  vk_scratch_free(c);
  isolate_end(c);
}

static V make_bytes(vk *c, size_t bytes) {
  V *o = vk_try_new(c, bytes);
  if (o) o[0] = VK_HDR(VK_RAW, 0, 0);
  return o != NULL;
}

/* ---- finalisers --------------------------------------------------------------------------- */

static int finalised[3];
static void finalise(void *object) { finalised[((V *)object)[1]]++; }

static __attribute__((noinline)) V handle_new(vk *c, V number) {
  V *o = vk_new(c, 16);
  o[0] = VK_HDR(VK_HANDLE, 0, 0);
  o[1] = number;
  vk_finalise(c, VK_FROM_OBJ(o), finalise);
  return VK_FROM_OBJ(o);
}

static V handle_lost(vk *c, size_t number) { return hide(handle_new(c, number)); }

static __attribute__((noinline)) void test_finalisers(void) {
  vk *c = begin(0, 64 << 20);
  memset(finalised, 0, sizeof finalised);
  /* The first cells may have the addresses of other tests' cells, which the stack remembers. */
  for (int i = 0; i < 3000; i++) make_bytes(c, 16);
  deeper(handle_lost, c, 0);
  V kept = handle_new(c, 1);
  wipe_stack();
  c->heap->budget = 0;
  heap_event(c->heap); /* a minor collection */
  CHECK(finalised[0] == 1);
  deeper(handle_lost, c, 2);
  wipe_stack();
  for (int i = 0; i < 3; i++) vk_collect(c);
  CHECK(finalised[0] == 1);
  CHECK(finalised[1] == 0);
  CHECK(finalised[2] == 1);
  CHECK(VK_OBJ(kept)[1] == 1);
  isolate_end(c);
  CHECK(finalised[1] == 1); /* by vk_heap_free */
}

/* ---- limits ------------------------------------------------------------------------------- */

static bool try_bytes(vk *c, size_t bytes) { return deeper(make_bytes, c, bytes); }

static size_t used_now(vk *c) { return (size_t)c->heap->used_blocks * BLOCK_BYTES; }

static __attribute__((noinline)) void test_limit(void) {
  vk *c = begin(0, 8 << 20);
  CHECK(!try_bytes(c, (size_t)1 << 40));
  CHECK(!try_bytes(c, SIZE_MAX));
  CHECK(!try_bytes(c, 9 << 20));
  CHECK(try_bytes(c, 6 << 20));
  wipe_stack();
  CHECK(try_bytes(c, 7 << 20)); /* by collecting the first */
  wipe_stack();
  CHECK(used_now(c) <= 8 << 20);
  V *kept = vk_try_new(c, 6 << 20);
  if (kept) kept[0] = VK_HDR(VK_RAW, 0, 0);
  CHECK(kept != NULL);
  CHECK(!try_bytes(c, 3 << 20));
  __asm__ volatile("" : : "r"(kept) : "memory");
  isolate_end(c);
}

/* The system refuses memory: as the hard limit. */
static __attribute__((noinline)) void test_refused(void) {
  vk *c = begin(0, 256 << 20);
  c->heap->commits_left = 2; /* 16 MiB */
  CHECK(vk_try_new(c, 20 << 20) == NULL);
  for (int i = 0; i < 4000000; i++) vk_cons(c, VK_NIL, VK_NIL); /* garbage: goes on */
  V *some = vk_try_new(c, 4 << 20);
  CHECK(some != NULL);
  if (some) some[0] = VK_HDR(VK_RAW, 0, 0);
  isolate_end(c);
}

static V fill(vk *c, size_t bytes) {
  V l = VK_NIL;
  for (size_t i = 0; i < bytes / sizeof(VkPair); i++) l = vk_cons(c, VK_NIL, l);
  for (int i = 0; i < 20; i++) CHECK(!try_bytes(c, 8 << 20)); /* each in vain */
  CHECK(VK_IS_PAIR(l));
  return VK_NIL;
}

/* A program that caught :out-of-memory and let go of its data goes on. */
static __attribute__((noinline)) void test_recovery(void) {
  vk *c = begin(0, 16 << 20);
  for (int round = 0; round < 5; round++) {
    deeper(fill, c, 15 << 20);
    wipe_stack();
    CHECK(try_bytes(c, 8 << 20));
    wipe_stack();
  }
  isolate_end(c);
}

/* Live data at the limit: a message and exit 1, soon. */
static __attribute__((noinline)) void test_out_of_memory(void) {
  int out[2];
  if (pipe(out)) return;
  pid_t child = fork();
  if (!child) {
    dup2(out[1], 2);
    close(out[0]);
    alarm(60);
    vk *c = begin(0, 32 << 20);
    cons_deep(c, (size_t)1 << 30, false);
    _exit(0);
  }
  close(out[1]);
  char text[4096];
  size_t n = 0;
  for (ssize_t got;
       n + 1 < sizeof text && (got = read(out[0], text + n, sizeof text - n - 1)) > 0;)
    n += (size_t)got;
  text[n] = 0;
  close(out[0]);
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(strstr(text, "out of memory") != NULL);
  CHECK(strstr(text, "pairs") != NULL);
}

/* ---- memory goes back --------------------------------------------------------------------- */

static size_t resident_bytes(void) {
  FILE *f = fopen("/proc/self/statm", "r");
  size_t total = 0, resident = 0;
  if (f && fscanf(f, "%zu %zu", &total, &resident) != 2) resident = 0;
  if (f) fclose(f);
  return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static V grow_and_drop(vk *c, size_t n) {
  V l = cons_deep(c, n, false);
  CHECK(VK_IS_PAIR(l));
  return resident_bytes();
}

static __attribute__((noinline)) void test_give_back(void) {
  vk *c = begin(0, (size_t)1 << 30);
  size_t full_size = deeper(grow_and_drop, c, 8 << 20);
  wipe_stack();
  vk_collect(c);
  for (int i = 0; i < 16 << 20; i++) vk_cons(c, VK_NIL, VK_NIL);
  CHECK(c->heap->stats.released_blocks > 500);
  CHECK(full_size - resident_bytes() > 64 << 20);
  isolate_end(c);
}

/* ---- the barrier is asked once ------------------------------------------------------------ */

static __attribute__((noinline)) void test_barrier(void) {
  vk *c = begin(0, 64 << 20);
  V *fields, v = node_alloc(c, NODE_STORE, 3, &fields),
             big = node_alloc(c, NODE_STORE, 1000, &fields);
  VK_STOREP(v)->items[0] = VK_NIL;
  vk_write(c, v, &VK_STOREP(v)->items[1], v); /* young: nothing to log */
  CHECK(c->heap->log.count == 0);
  vk_collect(c);
  for (int i = 0; i < 10; i++) vk_write(c, v, &VK_STOREP(v)->items[1], v);
  CHECK(c->heap->log.count == 1);
  for (int i = 0; i < 1000; i++) vk_write(c, big, &VK_STOREP(big)->items[i], VK_FIX(i));
  CHECK(c->heap->log.count == 1); /* no reference: nothing to remember */
  for (int i = 0; i < 1000; i++) vk_write(c, big, &VK_STOREP(big)->items[i], v);
  CHECK(c->heap->log.count <= 1 + 1000 * 8 / CARD_BYTES + 2); /* by cards */
  V pair = vk_cons(c, VK_FIX(5), VK_NIL);
  vk_write(c, big, &VK_STOREP(big)->items[500], pair);
  pair = VK_NIL;
  wipe_stack();
  c->heap->budget = 0;
  heap_event(c->heap);
  CHECK(c->heap->log.count == 0);
  CHECK(VK_HEAD(VK_STOREP(big)->items[500]) == VK_FIX(5));
  isolate_end(c);
}

int main(int argc, char **argv) {
  isolate_main();
  uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2;
  nodes = calloc(NODES_MAX, sizeof *nodes);
  seen = calloc(NODES_MAX, 1);
  walk = calloc(NODES_MAX, sizeof *walk);
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    test_random(seed, 0, 100000, 0);
    test_random(seed, 0, 60000, 160);
    test_random(seed, 1, 3000, 0);
    test_random(seed, 1, 2000, 150);
    test_random(seed, 3, 6000, 0);
    test_random(seed, 50, 20000, 0);
  }
  CHECK(fulls > 4);
  CHECK(overflows > 4);
  test_deep(300000);
  test_stale_words();
  test_roots();
  test_interior();
  test_registers();
  test_scratch_roots();
  test_finalisers();
  test_limit();
  test_refused();
  test_recovery();
  test_out_of_memory();
  test_give_back();
  test_barrier();
  return check_done();
}
