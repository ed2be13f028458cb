/* faults.h - the compiler's own handling of faults, put back after a program ran in it. */
#ifndef VALKC_FAULTS_H
#define VALKC_FAULTS_H
#include <signal.h>

typedef struct SavedFaults {
  struct sigaction segv, bus;
  stack_t stack;
} SavedFaults;

static inline void faults_save(SavedFaults *f) {
  sigaction(SIGSEGV, NULL, &f->segv);
  sigaction(SIGBUS, NULL, &f->bus);
  sigaltstack(NULL, &f->stack);
}

static inline void faults_restore(const SavedFaults *f) {
  sigaction(SIGSEGV, &f->segv, NULL);
  sigaction(SIGBUS, &f->bus, NULL);
  sigaltstack(&f->stack, NULL);
}
#endif
