#include <math.h>
#include <stdio.h>
#include <stdlib.h>
typedef struct Account { long id; double balance; long count; double rate; } Account;
static Account *accounts[100];
static long withdraw(Account *a, double n) {
  if (a->balance < n) return 0;
  a->balance -= n;
  a->count++;
  return 1;
}
int main(void) {
  for (long i = 0; i < 100; i++) {
    accounts[i] = malloc(sizeof(Account));
    *accounts[i] = (Account){i, (double)(i * 10), 0, 0.01};
  }
  long done = 0, count = 0;
  double sum = 0;
  for (long n = 6000000; n > 0; n--) {
    Account *from = accounts[n * 7919 % 100], *to = accounts[n * 104729 % 100];
    long ok = withdraw(from, (double)(n % 50));
    if (ok) to->balance += (double)(n % 50), to->count++;
    if (n % 1000 == 0) from->balance *= 1.0 + from->rate;
    done += ok;
  }
  for (int i = 0; i < 100; i++) count += accounts[i]->count, sum += accounts[i]->balance;
  printf("%ld %ld %.0f\n", done, count, floor(sum));
}
