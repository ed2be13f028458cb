/* gcbench.c - gcbench.valk with malloc and free. */
#include <stdio.h>
#include <stdlib.h>
typedef struct Node {
  struct Node *left, *right;
} Node;
static Node *node(Node *left, Node *right) {
  Node *n = malloc(sizeof *n);
  n->left = left;
  n->right = right;
  return n;
}
static void populate(long depth, Node *n) {
  if (depth <= 0) return;
  n->left = node(NULL, NULL);
  n->right = node(NULL, NULL);
  populate(depth - 1, n->left);
  populate(depth - 1, n->right);
}
static Node *top_down(long depth) {
  Node *n = node(NULL, NULL);
  populate(depth, n);
  return n;
}
static Node *bottom_up(long depth) {
  if (depth <= 0) return node(NULL, NULL);
  Node *left = bottom_up(depth - 1);
  return node(left, bottom_up(depth - 1));
}
static long count(const Node *n) { return n->left ? 1 + count(n->left) + count(n->right) : 1; }
static long count_and_free(Node *n) {
  long c = n->left ? 1 + count_and_free(n->left) + count_and_free(n->right) : 1;
  free(n);
  return c;
}
int main(void) {
  long keep_depth = 16, sum = 0, length = 500000;
  Node *long_lived = top_down(keep_depth);
  double *array = malloc((size_t)length * sizeof *array);
  for (long i = 0; i < length; i++) array[i] = 1.5;
  for (long depth = 4; depth <= keep_depth; depth += 2)
    for (long i = 0; i < 1L << (18 - depth); i++)
      sum += count_and_free(top_down(depth)) + count_and_free(bottom_up(depth));
  printf("%ld\n", sum + count(long_lived) + (array[length - 1] == 1.5 ? length : 0));
  return 0;
}
