/* options.h - the command line, parsed. The table is options.def. */
#ifndef VALKC_OPTIONS_H
#define VALKC_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>

typedef enum Command {
#define COMMAND(id, name, arguments, summary, text) COMMAND_##id,
#include "options.def"
  COMMAND_NONE, /* no command: --version, --help, --list-passes */
} Command;

enum { OPTIMISE_DEFAULT = 4 }; /* value of `optimise` where no -O is given: means 2 */

typedef struct Options {
  Command command;
  char **args; /* what is not an option: FILE and what follows it; borrowed from argv */
  size_t arg_count;
#define FLAG(field, spelling, commands, doc) bool field;
#define TEXT(field, spelling, value, commands, doc) const char *field;
#define NUMBER(field, spelling, value, commands, doc) unsigned field;
#define LEVEL(field, spelling, value, commands, doc) unsigned field;
#include "options.def"
  bool version;
} Options;

/* Fills options, or prints what is wrong to stderr and gives false (exit 2). */
bool options_parse(Options *options, int argc, char **argv);
/* Parses more options, separated by blanks, on top of what is set; text is modified. */
bool options_parse_more(Options *options, char *text);
void options_help(Command command); /* to stdout; COMMAND_NONE: the overview */
/* False, after a message, if there is no such command. */
bool options_find_command(const char *name, Command *command);
const char *options_command_name(Command command);
#endif
