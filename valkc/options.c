/* options.c - parse the command line by the table options.def, and print its help. */
#include "options.h"
#include "../rt/limits.h"
#include "../lang/diag.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN(id) (1u << COMMAND_##id)
#define FRONT_END (IN(BUILD) | IN(RUN) | IN(CHECK) | IN(EMIT) | IN(EXPLAIN))
#define COMPILING (IN(BUILD) | IN(RUN))
#define ALL_COMMANDS (~0u)

typedef struct CommandRow {
  const char *name, *arguments, *summary, *text;
} CommandRow;
static const CommandRow command_rows[] = {
#define COMMAND(id, name, arguments, summary, text) {name, arguments, summary, text},
#include "options.def"
};

typedef struct OptionRow {
  enum { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LEVEL } kind;
  const char *spelling, *value;
  unsigned commands;
  size_t offset; /* of the field in Options */
  const char *doc;
} OptionRow;
static const OptionRow option_rows[] = {
#define FLAG(field, spelling, commands, doc)                                                   \
  {OPTION_FLAG, spelling, NULL, commands, offsetof(Options, field), doc},
#define TEXT(field, spelling, value, commands, doc)                                            \
  {OPTION_TEXT, spelling, value, commands, offsetof(Options, field), doc},
#define NUMBER(field, spelling, value, commands, doc)                                          \
  {OPTION_NUMBER, spelling, value, commands, offsetof(Options, field), doc},
#define LEVEL(field, spelling, value, commands, doc)                                           \
  {OPTION_LEVEL, spelling, value, commands, offsetof(Options, field), doc},
#include "options.def"
};
enum { OPTION_COUNT = sizeof option_rows / sizeof *option_rows };

const char *options_command_name(Command command) {
  return command < COMMAND_NONE ? command_rows[command].name : "valkc";
}

static Command find_command(const char *name) {
  for (unsigned i = 0; i < COMMAND_NONE; i++)
    if (!strcmp(command_rows[i].name, name)) return (Command)i;
  return COMMAND_NONE;
}

/* ---- parsing ----------------------------------------------------------------------------- */

/* True if arg spells this option; *value is the attached value or NULL. */
static bool option_matches(const OptionRow *row, const char *arg, const char **value) {
  size_t n = strlen(row->spelling);
  *value = NULL;
  if (strncmp(arg, row->spelling, n) != 0) return false;
  if (row->kind == OPTION_LEVEL) {
    *value = arg + n;
    return true;
  }
  if (arg[n] == '=' && row->kind != OPTION_FLAG && arg[1] == '-') *value = arg + n + 1;
  return arg[n] == 0 || *value;
}

static bool usage_error(const Options *o) {
  if (o->command == COMMAND_NONE)
    fputs("see: valkc --help\n", stderr);
  else
    fprintf(stderr, "see: valkc help %s\n", options_command_name(o->command));
  return false;
}

static bool unknown_option(const Options *o, const char *arg) {
  DiagNearest nearest = {.name = arg};
  unsigned command = o->command < COMMAND_NONE ? 1u << o->command : 0;
  for (unsigned i = 0; i < OPTION_COUNT; i++)
    if (option_rows[i].commands & command) diag_consider(&nearest, option_rows[i].spelling);
  fprintf(stderr, "valkc: unknown option `%s`", arg);
  if (nearest.best) fprintf(stderr, "; did you mean `%s`?", nearest.best);
  fputc('\n', stderr);
  return usage_error(o);
}

static bool bad_value(const Options *o, const OptionRow *row, const char *value) {
  fprintf(stderr, "valkc: `%s` takes %s, not `%s`\n", row->spelling, row->value, value);
  return usage_error(o);
}

/* Stores the value; complains and gives false if it is not of the option's kind. */
static bool option_store(Options *o, const OptionRow *row, const char *value) {
  void *field = (char *)o + row->offset;
  char *end;
  switch (row->kind) {
  case OPTION_FLAG: *(bool *)field = true; return true;
  case OPTION_TEXT: *(const char **)field = value; return true;
  case OPTION_NUMBER:
    *(unsigned *)field = (unsigned)strtoul(value, &end, 10);
    return (*value >= '0' && *value <= '9' && *end == 0) || bad_value(o, row, value);
  case OPTION_LEVEL:
    *(unsigned *)field = (unsigned)(value[0] - '0');
    return (value[0] >= '0' && value[0] <= '3' && value[1] == 0) || bad_value(o, row, value);
  }
  return false;
}

/* Parses the option argv[*i], moving *i past a value of its own. */
static bool parse_option(Options *o, int argc, char **argv, int *i) {
  const char *arg = argv[*i], *value;
  for (unsigned k = 0; k < OPTION_COUNT; k++) {
    const OptionRow *row = &option_rows[k];
    if (!(row->commands & 1u << o->command) || !option_matches(row, arg, &value)) continue;
    if (!value && row->kind != OPTION_FLAG) {
      if (*i + 1 >= argc) {
        fprintf(stderr, "valkc: `%s` needs a value: %s\n", arg, row->value);
        return usage_error(o);
      }
      value = argv[++*i];
    }
    return option_store(o, row, value);
  }
  return unknown_option(o, arg);
}

static bool check_arg_count(const Options *o) {
  const char *name = options_command_name(o->command);
  bool takes_any = o->command == COMMAND_TEST || o->command == COMMAND_REPL;
  if (o->help || o->list_passes || takes_any || o->command == COMMAND_NONE) return true;
  if (o->command != COMMAND_HELP && o->arg_count == 0 && !o->expression) {
    fprintf(stderr, "valkc: `%s` needs a FILE\n", name);
    return usage_error(o);
  }
  if (o->command != COMMAND_RUN && !o->profile && o->arg_count > 1) {
    fprintf(stderr, "valkc: `%s` takes one argument, got also `%s`\n", name, o->args[1]);
    return usage_error(o);
  }
  return true;
}

/* The command's name is optional: `valkc FILE` runs it. Gives the index of what follows. */
static int parse_command(Options *o, int argc, char **argv) {
  if (argc < 2) return 1;
  const char *word = argv[1];
  if (!strcmp(word, "--version")) o->version = true;
  if (!strcmp(word, "--help") || !strcmp(word, "-h")) o->help = true;
  if (!strcmp(word, "--list-passes")) o->list_passes = true;
  if (o->version || o->help || o->list_passes) return 2;
  o->command = find_command(word);
  if (o->command != COMMAND_NONE) return 2;
  o->command = COMMAND_RUN;
  return 1;
}

/* A word that is neither a command nor a file: most likely a misspelt command. */
static bool unknown_command(const char *word) {
  DiagNearest nearest = {.name = word};
  for (unsigned i = 0; i < COMMAND_NONE; i++) diag_consider(&nearest, command_rows[i].name);
  fprintf(stderr, "valkc: unknown command `%s`", word);
  if (nearest.best) fprintf(stderr, "; did you mean `%s`?", nearest.best);
  fputs("\nsee: valkc --help\n", stderr);
  return false;
}

/* Everything after the options' command; for `run`, what follows FILE is the program's. */
static bool parse_rest(Options *o, int argc, char **argv, int i) {
  for (; i < argc; i++) {
    bool is_option = argv[i][0] == '-' && argv[i][1];
    if (is_option && !strcmp(argv[i], "-h"))
      o->help = true;
    else if (is_option && strcmp(argv[i], "--") != 0) {
      if (!parse_option(o, argc, argv, &i)) return false;
    } else if (is_option || o->command == COMMAND_RUN) {
      i += is_option;
      for (; i < argc; i++) o->args[o->arg_count++] = argv[i];
    } else
      o->args[o->arg_count++] = argv[i];
  }
  return true;
}

static bool check_size(const char *option, const char *text) {
  size_t bytes;
  if (!text || (vk_parse_size(text, &bytes) && bytes > 0)) return true;
  fprintf(stderr, "valkc: `%s` takes a size like 500m or 2g, not `%s`\n", option, text);
  return false;
}

static bool check_sizes(const Options *o) {
  return check_size("--heap-limit", o->heap_limit) && check_size("--gc-threshold", o->gc_threshold) &&
         check_size("--arena", o->arena);
}

bool options_parse(Options *o, int argc, char **argv) {
  *o = (Options){.command = COMMAND_NONE, .optimise = OPTIMISE_DEFAULT};
  int i = parse_command(o, argc, argv);
  o->args = argv + i; /* words move down over the options before them */
  if (o->command == COMMAND_RUN && i == 1 && argv[1][0] != '-' && !strpbrk(argv[1], "./"))
    return unknown_command(argv[1]);
  if (!parse_rest(o, argc, argv, i)) return false;
  o->args[o->arg_count] = NULL; /* for exec */
  return check_arg_count(o) && check_sizes(o);
}

bool options_find_command(const char *name, Command *command) {
  *command = find_command(name);
  return *command != COMMAND_NONE || unknown_command(name);
}

bool options_parse_more(Options *o, char *text) {
  char *words[64];
  int n = 0;
  for (char *w = strtok(text, " \t"); w && n < 64; w = strtok(NULL, " \t")) words[n++] = w;
  for (int i = 0; i < n; i++)
    if (!parse_option(o, n, words, &i)) return false;
  return true;
}

/* ---- help -------------------------------------------------------------------------------- */

static void help_overview(void) {
  puts("valkc - compiler for the Valk language\n\nusage: valkc COMMAND [OPTION...] ...\n"
       "       valkc FILE [ARG...]\n       valkc -e EXPR [ARG...]\n");
  for (unsigned i = 0; i < COMMAND_NONE; i++)
    printf("  %-6s %-17s %s\n", command_rows[i].name, command_rows[i].arguments,
           command_rows[i].summary);
  puts("\n  --version          print the version\n  --list-passes      list the compiler's "
       "passes\n"
       "\n`valkc help COMMAND` explains a command and its options.\n"
       "Exit status: 0 done; 1 the program is wrong; 2 wrong usage; 70 a bug in valkc.");
}

static void help_option(const OptionRow *row) {
  char left[64];
  const char *gap = row->kind == OPTION_LEVEL ? "" : row->spelling[1] == '-' ? "=" : " ";
  snprintf(left, sizeof left, "%s%s%s", row->spelling, row->value ? gap : "",
           row->value ? row->value : "");
  printf("  %-18s %s\n", left, row->doc);
}

void options_help(Command command) {
  if (command >= COMMAND_NONE) {
    help_overview();
    return;
  }
  const CommandRow *row = &command_rows[command];
  printf("usage: valkc %s [OPTION...] %s\n\n%s\n\n", row->name, row->arguments, row->text);
  for (unsigned i = 0; i < OPTION_COUNT; i++)
    if (option_rows[i].commands & 1u << command) help_option(&option_rows[i]);
}
