/* testfile.h - a golden test: a .valk file whose comments say what it should do. */
#ifndef VALKC_TESTFILE_H
#define VALKC_TESTFILE_H
#include "../lang/arena.h"
#include "process.h"

typedef struct ExpectedMessage { /* ; error: LINE:COL: TEXT, ; warning: ... */
  bool is_warning;
  unsigned line, col; /* 0: any */
  const char *text;   /* occurs in the message */
} ExpectedMessage;

typedef struct SkipMode {
  const char *mode, *reason;
} SkipMode;

typedef struct TestFile {
  const char *path;        /* as found */
  const char *dir, *name;  /* path split at its last slash */
  VEC(const char *) lines; /* ; expect: lines of stdout */
  Text out, err, in,
      dump; /* contents of NAME.out, .err, .in; bytes NULL if there is no such file */
  bool has_out, has_err;
  int exit_status;
  VEC(const char *) stderr_parts;
  VEC(ExpectedMessage) messages;
  VEC(const char *) args; /* of the program, and env: "NAME=VALUE" */
  VEC(const char *) env;
  VEC(SkipMode) skips;
  const char *build_options;
  const char *dump_passes; /* ; dump: PASS,...: compare that instead of running */
  unsigned timeout_seconds;
  const char *malformed; /* a directive that makes no sense, or NULL */
} TestFile;

/* Reads the test and the files beside it. False: it cannot be read. */
bool testfile_load(Arena *a, TestFile *t, const char *path);
/* True if the program must not compile. */
bool testfile_fails_to_compile(const TestFile *t);
/* True if the test ends with the compilation, so that one mode is enough. */
bool testfile_only_compiles(const TestFile *t);
/* Why this mode is left out, or NULL. */
const char *testfile_skip_reason(const TestFile *t, const char *mode);

/* What happened, against what was expected: NULL, or a report of the differences. */
const char *testfile_judge_compile(Arena *a, const TestFile *t, int exit_status, Text messages);
const char *testfile_judge_run(Arena *a, const TestFile *t, int wait_status, Text out,
                               Text err);

/* Rewrites the test's expectations to what happened. False if it has to be done by hand. */
bool testfile_promote_run(const TestFile *t, Text out);
bool testfile_promote_compile(const TestFile *t, Text messages); /* or the dump */
#endif
