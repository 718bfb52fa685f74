/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_CHECK_H
#define FLOW_CHECK_H

/* Questions about single words that cmd/ asks before a flow begins, so that the answer can name file and line. */

#include "base/err.h"

/* 0 if `text` can be a reference for fetch; else ERR_USAGE with the text and the reason. */
int flow_check_reference(const char *text, struct err *e);

#endif
