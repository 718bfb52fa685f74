/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_JSON_H
#define OCI_JSON_H

/*
 * JSON, read so that any sane parser agrees with us, and written without a library's help in deciding the bytes. The
 * only place that knows jansson (whose names start with json_; ours start with jdoc_, jval_ and jout_).
 *
 * Reading refuses (ERR_CORRUPT): bad UTF-8, a byte-order mark, trailing text, a root that is neither object nor array,
 * nesting over LIMIT_JSON_DEPTH, more values than LIMIT_JSON_VALUES allows, duplicate keys, and keys of one object that
 * Go's encoding/json would take for one (equal after Unicode simple case folding, "Layers" and "layers",
 * "Layer\u017f"), because docker is written in Go. Exempt from the last are objects that Go reads into a map, where the
 * two stay two: the values of "Labels", "annotations", "Volumes", "ExposedPorts", "auths", "credHelpers",
 * "HttpHeaders". Real images have the labels "Maintainer" and "maintainer" side by side.
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A parsed document; owns every value in it, and wipes them when it is freed: they may be tokens and passwords. */
struct jdoc;
/* A value inside a document, borrowed from it. NULL stands for "absent", and every jval_ function takes it so. */
struct jval;

struct jdoc *jdoc_parse(const char *bytes, size_t len, struct err *e);
void jdoc_free(struct jdoc *d);
OWNED(jdoc)

/*
 * The first object or array of `bytes` when several stand behind each other (docker's answers); *used = where it ended.
 * The bytes behind it are not looked at.
 */
struct jdoc *jdoc_parse_first(const char *bytes, size_t len, size_t *used, struct err *e);

const struct jval *jdoc_root(const struct jdoc *d);

bool jval_is_object(const struct jval *v);
bool jval_is_array(const struct jval *v);
bool jval_is_string(const struct jval *v);
bool jval_is_null(const struct jval *v); /* JSON null or absent */

/* A member of an object by its exact name; NULL if absent, or if v is no object. */
const struct jval *jval_get(const struct jval *v, const char *key);

/* Elements of an array, members of an object; 0 for anything else. */
size_t jval_count(const struct jval *v);
const struct jval *jval_at(const struct jval *array, size_t i);
/* The i-th member of an object in the document's order: its key (NUL-terminated) and value. */
const char *jval_key_at(const struct jval *object, size_t i, const struct jval **value);

/* The text of a string (no NUL inside: such strings were refused); NULL for anything else. */
const char *jval_text(const struct jval *v);

/*
 * Typed members. `object.key` is named in the message. Absent or null: 0 and *out untouched if `required` is false,
 * else ERR_CORRUPT. Wrong type, sign or range: ERR_CORRUPT. Texts are borrowed from the document.
 */
int jval_get_text(const struct jval *object, const char *key, bool required, const char **out, struct err *e);
int jval_get_u64(const struct jval *object, const char *key, bool required, uint64_t *out, struct err *e);
int jval_get_digest(const struct jval *object, const char *key, bool required, struct digest *out, struct err *e);
int jval_get_bool(const struct jval *object, const char *key, bool required, bool *out, struct err *e);

/*
 * The names that a reader is going to look for in an object: a key that differs from one of them only in case is
 * refused (ERR_CORRUPT), because Go reads it as that field and we would not. 0 for what is no object.
 */
int jval_check_names(const struct jval *object, const char *const *names, size_t count, struct err *e);

/*
 * Writing. Values are appended to a buf in call order, no spaces or newlines: the bytes depend on the calls alone.
 * Commas are put by jout. An allocation failure sticks; jout_finish() reports it.
 *
 *     struct jout j = jout_begin(&buf);
 *     jout_object(&j); jout_key(&j, "schemaVersion"); jout_u64(&j, 2); jout_end(&j);
 *     return jout_finish(&j, e);
 */
#define JOUT_DEPTH 72 /* more than any document may have that was read */
struct jout {
	struct buf *out;
	char closing[JOUT_DEPTH];
	unsigned depth;
	bool comma;
	bool failed;
};
struct jout jout_begin(struct buf *out);
void jout_object(struct jout *j);
void jout_array(struct jout *j);
void jout_end(struct jout *j); /* closes the innermost object or array */
void jout_key(struct jout *j, const char *key);
/* Escaped as RFC 8259 asks; invalid UTF-8 becomes U+FFFD; NULL: null. */
void jout_text(struct jout *j, const char *text);
void jout_u64(struct jout *j, uint64_t n);
void jout_bool(struct jout *j, bool b);
void jout_null(struct jout *j);
void jout_digest(struct jout *j, const struct digest *d); /* "sha256:..." */
/*
 * A value as it was read: its members in their order, its spaces gone. -1, and the output is of no use: it holds a
 * number with a fraction, which would not come out as it went in.
 */
int jout_value(struct jout *j, const struct jval *v);
int jout_finish(struct jout *j, struct err *e);

#endif
