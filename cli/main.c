/* bramble: the command line. Everything it does is in command.h's table. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "command.h"
#include "interrupt.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What stdout could not take (a full disk) must not pass for success. */
static bramble_status flush_output(bramble_error *error)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_IO, "standard output: cannot write: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    bramble_error error = {0};
    bramble_status status = command_line_run(argc > 0 ? argv + 1 : argv, &error);
    if (!status) status = flush_output(&error);
    if (!status) return EXIT_DONE;
    fprintf(stderr, "bramble: %s\n", error.message);
    if (status == BRAMBLE_ERR_CANCELLED) interrupt_die();
    return status == BRAMBLE_ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}
