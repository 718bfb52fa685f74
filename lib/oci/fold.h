/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_FOLD_H
#define OCI_FOLD_H

/*
 * Unicode simple case folding, for one question: would a Go program take these two JSON keys for the same struct field?
 * ASCII, U+017F (s) and U+212A (k) are folded always; they are all that can meet a field name. Other letters are folded
 * by the C library's C.UTF-8 tables, and stay as they are if it has none. Thread-safe.
 */

/* Orders two valid UTF-8 strings as strcmp() would after folding; 0: equal but for case. */
int fold_compare(const char *a, const char *b);

#endif
