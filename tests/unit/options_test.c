/* options_test.c - the command line: values, defaults, what belongs to the program. */
#include "../../valkc/options.h"
#include "check.h"
#include <string.h>

static Options parse(int argc, char **argv) {
  Options o;
  CHECK(options_parse(&o, argc, argv));
  return o;
}
#define PARSE(...)                                                                             \
  parse((int)(sizeof(char *[]){__VA_ARGS__} / sizeof(char *)), (char *[]){__VA_ARGS__, NULL})

static void test_values(void) {
  Options o = PARSE("valkc", "build", "-O3", "a.valk", "-o", "x", "-g", "--cc=clang");
  CHECK(o.command == COMMAND_BUILD && o.optimise == 3 && o.debug_info);
  CHECK(!strcmp(o.output, "x") && !strcmp(o.cc, "clang"));
  CHECK(o.arg_count == 1 && !strcmp(o.args[0], "a.valk"));
  o = PARSE("valkc", "test", "--jobs", "7", "--mode", "aot,O0", "t");
  CHECK(o.jobs == 7 && !strcmp(o.modes, "aot,O0") && o.arg_count == 1);
  o = PARSE("valkc", "check", "a.valk");
  CHECK(o.optimise == OPTIMISE_DEFAULT && !o.debug_info && !o.output && !o.dump);
}

/* After the file of `run`, everything is the program's. */
static void test_run(void) {
  Options o = PARSE("valkc", "run", "-O0", "a.valk", "-O3", "--", "x");
  CHECK(o.command == COMMAND_RUN && o.optimise == 0 && o.arg_count == 4);
  CHECK(!strcmp(o.args[1], "-O3") && !strcmp(o.args[2], "--"));
  o = PARSE("valkc", "a.valk", "b");
  CHECK(o.command == COMMAND_RUN && o.arg_count == 2 && !strcmp(o.args[0], "a.valk"));
  o = PARSE("valkc", "run", "--", "-odd-name.valk");
  CHECK(o.arg_count == 1 && !strcmp(o.args[0], "-odd-name.valk"));
}

static void test_refused(void) {
  Options o;
  char *bad[][4] = {{"valkc", "build", NULL},      {"valkc", "build", "-O9", "a.valk"},
                    {"valkc", "check", "-o", "x"}, {"valkc", "test", "--jobs", "x"},
                    {"valkc", "bild", "x", NULL},  {"valkc", "build", "a.valk", "-o"},
                    {"valkc", "check", "a", "b"},  {"valkc", "test", "--jsn", NULL}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int argc = 4;
    char *argv[5] = {bad[i][0], bad[i][1], bad[i][2], bad[i][3], NULL};
    while (!argv[argc - 1]) argc--;
    CHECK(!options_parse(&o, argc, argv));
  }
}

int main(void) {
  test_values();
  test_run();
  test_refused();
  return check_done();
}
