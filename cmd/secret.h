/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SECRET_H
#define CMD_SECRET_H

/* Where passwords come in. What is returned is to be released with text_wipe_free(). */

#include "base/err.h"

#include <stdbool.h>

/* All of standard input without the newline at its end. Empty, longer than LIMIT_PASSWORD or with a NUL: ERR_USAGE. */
char *secret_from_stdin(struct err *e);

/*
 * Asks on the terminal (standard input and standard error) for one line, `echo` false: without showing it. The terminal
 * is as before afterwards, also when a signal asks us to stop (ERR_CANCELLED). ERR_USAGE if standard input is no
 * terminal.
 */
char *secret_ask(const char *prompt, bool echo, struct err *e);

#endif
