/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_MATCH_H
#define CODEC_REGZIP_MATCH_H

/*
 * The match finders of the encoders that make container layers, each in its own file: over the raw bytes it gives the
 * tokens that the real encoder gave. What is missed is only a correction in the recipe, so a finder need not be
 * perfect; but it must be the same for ever: recipes rely on it. A finder may change only as a new encoder with a new
 * number. To check another release of an encoder: make blobs with it (fixtures/regzip/make.sh is the pattern) and look
 * at the corrections that tests/bench/rebuild.sh counts.
 *
 * Memory safety does not lean on the tables: a candidate is a distance back from the current byte, and is used only if
 * that many bytes of the segment stand before it. Tables hold the low 32 bits of positions, so a layer has no upper
 * length; entries of older segments are too far away, so nothing is cleared between segments.
 */

#include "base/own.h"
#include "codec/regzip/token.h"

struct finder_kind {
	void *(*open)(unsigned level, struct err *e);
	/* A segment begins at `start`; the bytes from `history` on may be referred to. -1: out of memory. */
	int (*begin)(void *state, const struct raw_window *w, uint64_t history, uint64_t start);
	/*
	 * Goes on as far as the bytes before `end` allow; `final`: the segment ends there, and all is to be said.
	 * Returns where it stands: everything before has its token or is about to (at most one literal is held back).
	 */
	uint64_t (*run)(void *state, const struct raw_window *w, uint64_t end, bool final, struct tokens *out);
	void (*close)(void *state);
};

extern const struct finder_kind finder_go;        /* match_go.c */
extern const struct finder_kind finder_go_fast;   /* match_go_fast.c */
extern const struct finder_kind finder_klauspost; /* match_klauspost.c */
extern const struct finder_kind finder_klauspost_fast;
extern const struct finder_kind finder_zlib;     /* match_zlib.c */
extern const struct finder_kind finder_literals; /* match.c */

/* How an encoder makes its Huffman codes (tree.h). */
enum tree { TREE_GO, TREE_ZLIB, TREE_KLAUSPOST };

struct encoder {
	uint8_t id;    /* in recipes; never given twice */
	uint8_t level; /* of that encoder */
	enum tree tree;
	const struct finder_kind *finder;
	uint32_t history; /* bytes that a segment sees of the one before it, where the stream is cut into segments */
	const char *name; /* for people */
};

/* All of them, the commonest first. */
extern const struct encoder encoders[];
extern const size_t encoder_count;
const struct encoder *encoder_by_id(unsigned id); /* NULL: unknown */

/* The finder over a whole stream: members and segments. */
struct predictor {
	const struct encoder *encoder;
	void *state;
	uint64_t segment; /* bytes; 0: the stream is not cut */
	uint64_t member;  /* where its raw bytes begin */
	uint64_t end;     /* of the current segment; UINT64_MAX: not cut */
	uint64_t at;      /* where the finder stands */
	bool begun;
	struct tokens tokens;
	uint64_t token_at; /* where the first token of the queue begins */
};

int predictor_open(struct predictor *p, const struct encoder *encoder, uint64_t segment, struct err *e);
void predictor_member(struct predictor *p, uint64_t start);
/* Predicts as far as the window allows. `final`: the member ends where the window does. */
int predictor_run(struct predictor *p, const struct raw_window *w, uint64_t end, bool final, struct err *e);
/*
 * The token that begins at `position`: 1. 0: none begins there, since one reaches over it. -1: not predicted that far.
 * Tokens before it are forgotten.
 */
int predictor_token(struct predictor *p, uint64_t position, uint32_t *token);
void predictor_close(struct predictor *p);

/* Where the tables of klauspost's writer take their bytes from: the end of the 65535-byte piece that `position` is in.
 */
uint64_t predictor_piece_end(const struct predictor *p, uint64_t position);

#endif
