/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_TOML_H
#define OCI_TOML_H

/*
 * TOML 1.0, as much of it as hosts.toml and registries.conf are written in, into the same document that JSON becomes:
 * tables are objects (members in the file's order), arrays of tables are arrays of objects, keys are case-sensitive.
 *
 * Read: comments, tables, dotted and quoted keys, arrays of tables, strings of all four kinds, booleans, whole numbers
 * (decimal, 0x, 0o, 0b), arrays, inline tables. Floats, dates and times are refused where they stand, never read as
 * something else. Every refusal is ERR_USAGE and begins with "line N: ": what TOML forbids (a key or table twice, bad
 * UTF-8, control characters), U+0000 in a string, more than LIMIT_SETTINGS bytes, LIMIT_TOML_DEPTH levels or
 * LIMIT_TOML_TABLES tables.
 */

#include "oci/json.h"

struct jdoc *toml_parse(const char *bytes, size_t len, struct err *e);

#endif
