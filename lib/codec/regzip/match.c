/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/match.h"

#include "base/limits.h"

#define KLAUSPOST_PIECE 65535u /* what its fast encoders take at once */

const struct encoder encoders[] = {
	{ 6, 6, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 6" },
	{ 35, 5, TREE_KLAUSPOST, &finder_klauspost, 16384, "klauspost/compress, level 5" },
	{ 1, 1, TREE_GO, &finder_go_fast, 0, "Go compress/flate to 1.26, level 1" },
	{ 36, 6, TREE_KLAUSPOST, &finder_klauspost, 16384, "klauspost/compress, level 6 (Go from 1.27 on)" },
	{ 31, 1, TREE_KLAUSPOST, &finder_klauspost_fast, 16384, "klauspost/compress, level 1" },
	{ 66, 6, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 6" },
	{ 69, 9, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 9" },
	{ 9, 9, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 9" },
	{ 61, 1, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 1" },
	{ 62, 2, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 2" },
	{ 63, 3, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 3" },
	{ 64, 4, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 4" },
	{ 65, 5, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 5" },
	{ 67, 7, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 7" },
	{ 68, 8, TREE_ZLIB, &finder_zlib, 32768, "zlib, level 8" },
	{ 2, 2, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 2" },
	{ 3, 3, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 3" },
	{ 4, 4, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 4" },
	{ 5, 5, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 5" },
	{ 7, 7, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 7" },
	{ 8, 8, TREE_GO, &finder_go, 0, "Go compress/flate to 1.26, level 8" },
	{ 10, 0, TREE_GO, &finder_literals, 0, "Go compress/flate, Huffman only" },
	/* pigz -i: segments that see nothing of each other. */
	{ 76, 6, TREE_ZLIB, &finder_zlib, 0, "zlib, level 6, independent segments" },
	{ 79, 9, TREE_ZLIB, &finder_zlib, 0, "zlib, level 9, independent segments" },
};
const size_t encoder_count = sizeof(encoders) / sizeof(*encoders);

const struct encoder *encoder_by_id(unsigned id)
{
	for (size_t i = 0; i < encoder_count; i++)
		if (encoders[i].id == id)
			return &encoders[i];
	return NULL;
}

struct literals {
	uint64_t at;
};

static void *literals_open(unsigned level, struct err *e)
{
	struct literals *l = calloc(1, sizeof(*l));

	(void)level;
	if (!l)
		err_memory(e);
	return l;
}

static int literals_begin(void *state, const struct raw_window *w, uint64_t history, uint64_t start)
{
	struct literals *l = state;

	(void)w;
	(void)history;
	l->at = start;
	return 0;
}

static uint64_t literals_run(void *state, const struct raw_window *w, uint64_t end, bool final, struct tokens *out)
{
	struct literals *l = state;

	(void) final;
	for (; l->at < end; l->at++)
		tokens_put(out, *raw_at(w, l->at));
	return l->at;
}

const struct finder_kind finder_literals = { literals_open, literals_begin, literals_run, free };

int predictor_open(struct predictor *p, const struct encoder *encoder, uint64_t segment, struct err *e)
{
	*p = (struct predictor){ .encoder = encoder, .segment = segment };
	p->state = encoder->finder->open(encoder->level, e);
	return p->state ? 0 : -1;
}

void predictor_member(struct predictor *p, uint64_t start)
{
	p->member = p->at = p->end = p->token_at = start;
	p->tokens.first = p->tokens.len = 0;
	p->begun = false;
}

static int begin_segment(struct predictor *p, const struct raw_window *w, struct err *e)
{
	uint64_t start = p->begun ? p->end : p->member;
	uint64_t back = start - p->member;

	if (back > p->encoder->history)
		back = p->encoder->history;
	if (p->encoder->finder->begin(p->state, w, start - back, start))
		return err_memory(e);
	p->end = p->segment ? start + p->segment : UINT64_MAX;
	p->begun = true;
	return 0;
}

int predictor_run(struct predictor *p, const struct raw_window *w, uint64_t end, bool final, struct err *e)
{
	while (p->at < end || (final && p->begun && p->at == end && p->end != end)) {
		if ((!p->begun || p->at == p->end) && begin_segment(p, w, e))
			return -1;
		uint64_t until = end < p->end ? end : p->end;
		bool last = until == p->end || (final && until == end);
		if (tokens_reserve(&p->tokens, (size_t)(until - p->at) + 2, e))
			return -1;
		p->at = p->encoder->finder->run(p->state, w, until, last, &p->tokens);
		if (!last || until == end)
			break;
	}
	return 0;
}

int predictor_token(struct predictor *p, uint64_t position, uint32_t *token)
{
	struct tokens *t = &p->tokens;

	while (p->token_at < position && t->first < t->len)
		p->token_at += token_length(t->at[t->first++]);
	if (p->token_at > position)
		return 0;
	if (p->token_at < position || t->first == t->len)
		return -1;
	*token = t->at[t->first];
	return 1;
}

void predictor_close(struct predictor *p)
{
	if (p->encoder && p->state)
		p->encoder->finder->close(p->state);
	tokens_release(&p->tokens);
	*p = (struct predictor){ 0 };
}

uint64_t predictor_piece_end(const struct predictor *p, uint64_t position)
{
	uint64_t start = p->member;

	if (p->segment)
		start += (position - p->member) / p->segment * p->segment;
	return start + ((position - start) / KLAUSPOST_PIECE + 1) * KLAUSPOST_PIECE;
}
