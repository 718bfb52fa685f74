/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_MEDIUM_H
#define CMD_MEDIUM_H

/* The question for the next stick or disc, when chunks of an archive are missing. */

#include "flow/flow.h"

/* medium_answer() if there is a person to ask: standard input and standard error are a terminal; else NULL. */
ask_medium *medium_asker(void);

#endif
