/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PROCESS_H
#define CMD_PROCESS_H

/* What the process arranges with its system: signals, core dumps, descriptors, locale. */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Before anything else. SIGINT, SIGTERM and SIGHUP (not under nohup) ask for a stop (base/cancel.h), the second SIGINT
 * ends the program at once; a broken pipe and a file size limit are errors of write(); no core dump can hold a
 * password, and no other program of the user can attach to read one; descriptors 0 to 2 are open, so that no file of
 * ours becomes one of them.
 */
int process_prepare(struct err *e);

/* Writes all bytes to the descriptor, or fails with ERR_LOCAL; `name` is for the message. */
int process_write(int fd, const char *name, const char *bytes, size_t len, struct err *e);

/* True if the descriptor is a terminal that takes colours and cursor moves. */
bool process_is_terminal(int fd);

/* True if colours are wanted there (https://no-color.org). */
bool process_has_colour(int fd);

#endif
