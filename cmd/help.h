/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_HELP_H
#define CMD_HELP_H

/* The words of words.h as help, at most 80 columns, and as a man page. */

#include "base/buf.h"
#include "cmd/words.h"

/* The first paragraph of everything: what the program is. */
extern const char help_about[];
/* Two command lines. */
extern const char help_examples[];

int help_program(struct buf *out, struct err *e);
int help_verb(struct buf *out, enum verb_id verb, struct err *e);

/* imgpack(1) in man(7)'s macros. */
int man_page(struct buf *out, struct err *e);

#endif
