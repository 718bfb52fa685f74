/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_WRITE_FILE_H
#define FLOW_WRITE_FILE_H

/* A small text as a file: it stands there whole, or not at all. */

#include "base/buf.h"
#include "base/err.h"

/* ERR_LOCAL that names the path. A file that is there is replaced. */
int write_file(const char *path, const struct buf *text, struct err *e);

#endif
