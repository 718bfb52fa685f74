/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "codec/regzip/differ.h"
#include "codec/regzip/rebuild.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * An encoder is recognised by a member's beginning. pgzip's segments have 1 MiB: a bit more shows where the first ends.
 * Most encoders are told by the first few blocks.
 */
#define RECOGNISE ((size_t)5 << 18)
#define RECOGNISE_FIRST ((size_t)1 << 17)
#define RECOGNISE_COST 64 /* an encoder that has more to correct in the first part is another one */
#define PIGZ_SEGMENT ((uint64_t)128 << 10)

struct simulate {
	struct source base;
	struct source *inner;
	struct simulated *out;
	struct parser parser;
	struct raw_window window;
	struct real real;
	struct differ differ;
	bool chosen;   /* differ is at work on this member */
	bool given_up; /* the stream is only decoded from here on */
	uint64_t read; /* raw bytes before it went to the caller */
	uint64_t gzip;
	uint64_t marks; /* greatest common divisor of where empty blocks stand in the member */
	uint64_t mark;  /* the last of them */
	struct recipe_member before;
	uint8_t header[PARSER_HEADER]; /* of the member before */
	bool ended;
	struct err why;
};

static void give_up(struct simulate *s, const char *why)
{
	if (s->given_up)
		return;
	s->given_up = true;
	(void)snprintf(s->out->why, sizeof(s->out->why), "%s", why);
	buf_release(&s->out->recipe);
	differ_close(&s->differ);
	tokens_release(&s->real.tokens);
}

/* What the differ is through with is forgotten. */
static void drop_compared(struct simulate *s)
{
	s->real.tokens.first += s->differ.token;
	s->real.first = s->differ.block;
	s->differ.token = 0;
}

/* One encoder over the member's beginning. Afterwards s->differ is the better of the two. */
static int try_encoder(struct simulate *s, const struct encoder *encoder, uint64_t segment, bool final, struct err *e)
{
	struct differ d;
	uint64_t end = raw_end(&s->window);
	uint64_t first = s->parser.member + RECOGNISE_FIRST;
	int rc = differ_open(&d, encoder, segment, s->parser.member, s->real.first, e);

	if (!rc && first < end)
		rc = differ_run(&d, &s->real, &s->window, first, false, e);
	if (!rc && d.writer.cost <= RECOGNISE_COST)
		rc = differ_run(&d, &s->real, &s->window, end, final, e);
	if (rc || d.writer.cost > RECOGNISE_COST * (RECOGNISE / RECOGNISE_FIRST) ||
	    (s->chosen && d.writer.cost >= s->differ.writer.cost)) {
		differ_close(&d);
		return rc;
	}
	differ_close(&s->differ);
	s->differ = d;
	s->chosen = true;
	return 0;
}

/* True once nothing can be better. */
static bool perfect(const struct simulate *s)
{
	return s->chosen && !s->differ.writer.cost && !s->differ.failed;
}

static int try_all(struct simulate *s, uint64_t segment, bool final, struct err *e)
{
	for (size_t i = 0; i < encoder_count && !perfect(s); i++) {
		/* Go's writers have no dictionary: they are never cut. */
		if (segment && encoders[i].tree == TREE_GO)
			continue;
		/* Without a cut, a second encoder that differs only there is the same. */
		if (!segment && encoders[i].tree == TREE_ZLIB && encoders[i].history == 0)
			continue;
		if (try_encoder(s, &encoders[i], segment, final, e))
			return -1;
	}
	return 0;
}

static int recognise(struct simulate *s, bool final, struct err *e)
{
	/* Most members are like the one before. */
	if (s->before.encoder && try_encoder(s, s->before.encoder, s->before.segment, final, e))
		return -1;
	if (s->marks && try_all(s, s->marks, final, e))
		return -1;
	/* pigz leaves out the empty block where a segment happens to end on a byte. */
	if (s->marks && s->marks != PIGZ_SEGMENT && s->marks % PIGZ_SEGMENT == 0 && try_all(s, PIGZ_SEGMENT, final, e))
		return -1;
	if (try_all(s, 0, final, e))
		return -1;
	if (!s->chosen)
		give_up(s, "no encoder that is known made it");
	return 0;
}

/* The recipe must stay worth it. */
static void judge(struct simulate *s)
{
	if (s->given_up)
		return;
	size_t size = s->out->recipe.len + s->differ.writer.body.len + s->differ.writer.corrections.len;
	uint64_t gzip = s->gzip;
	if (s->differ.failed)
		give_up(s, s->differ.failed);
	else if (s->parser.unusual)
		give_up(s, s->parser.unusual);
	else if (size > SIMULATION_ALLOWED + gzip / SIMULATION_SHARE || size > LIMIT_RECIPE)
		give_up(s, "its encoder is another release or another program than those that are known");
}

static int compare(struct simulate *s, bool final, struct err *e)
{
	uint64_t end = raw_end(&s->window);

	if (s->given_up)
		return 0;
	if (!s->chosen && !final && end - s->parser.member < RECOGNISE)
		return 0;
	if (!s->chosen) {
		if (recognise(s, final, e))
			return -1;
	} else if (differ_run(&s->differ, &s->real, &s->window, end, final, e)) {
		return -1;
	}
	if (!s->given_up)
		drop_compared(s);
	judge(s);
	return 0;
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static int take_block(struct simulate *s, struct err *e)
{
	const struct block *b = &s->parser.block;

	if (s->given_up)
		return 0;
	if (s->real.count - s->real.first == LIMIT_BLOCKS_WAITING) {
		give_up(s, "its blocks are too many");
		return 0;
	}
	/* An empty block at the member's very end tells nothing: it counts once data follow. */
	if (b->length == 0 && !b->final)
		s->mark = b->start - s->parser.member;
	else if (b->length)
		s->marks = divisor(s->mark, s->marks);
	s->real.blocks[s->real.count++ % LIMIT_BLOCKS_WAITING] = *b;
	if (tokens_reserve(&s->real.tokens, 1, e))
		return -1;
	tokens_put(&s->real.tokens, TOKEN_BLOCK);
	return compare(s, false, e);
}

static int take_member_end(struct simulate *s, struct err *e)
{
	if (compare(s, true, e))
		return -1;
	if (s->given_up)
		return 0;
	const struct predictor *p = &s->differ.predictor;
	struct recipe_member m = { s->parser.header, s->parser.header_len, p->encoder, p->segment,
				   raw_end(&s->window) - s->parser.member };
	s->out->encoder = p->encoder->name;
	s->out->corrections += s->differ.writer.cost;
	if (recipe_put_member(&s->out->recipe, &s->differ.writer, &m, s->before.encoder ? &s->before : NULL, e))
		return -1;
	memcpy(s->header, m.header, m.header_len);
	m.header = s->header;
	s->before = m;
	return 0;
}

static void take_member(struct simulate *s)
{
	s->chosen = false;
	s->marks = s->mark = 0;
	s->real.first = s->real.count = 0;
	s->real.tokens.first = s->real.tokens.len = 0;
}

static int take_end(struct simulate *s, struct err *e)
{
	s->ended = true;
	s->out->raw = raw_end(&s->window);
	s->out->gzip = s->gzip;
	if (s->given_up)
		return 0;
	if (recipe_put_end(&s->out->recipe, s->parser.padding, e))
		return -1;
	judge(s);
	s->out->good = !s->given_up;
	return 0;
}

static int step(struct simulate *s, struct err *e)
{
	uint64_t keep = s->read;
	uint64_t end = raw_end(&s->window);
	uint64_t finder = s->chosen ? s->differ.predictor.at : s->parser.member;

	if (!s->given_up && keep + RAW_HISTORY > finder)
		keep = finder > RAW_HISTORY ? finder - RAW_HISTORY : 0;
	if (keep + TOKEN_MAX_DISTANCE > end)
		keep = end > TOKEN_MAX_DISTANCE ? end - TOKEN_MAX_DISTANCE : 0;
	if (raw_forget(&s->window, keep) < PARSER_ROOM)
		return err_set(e, ERR_LOCAL, "no room for the raw bytes");
	switch (parser_step(&s->parser, &s->window, s->given_up ? NULL : &s->real.tokens, e)) {
	case PARSED_FAILED:
		return -1;
	case PARSED_MEMBER:
		take_member(s);
		return 0;
	case PARSED_BYTES:
		return compare(s, false, e);
	case PARSED_BLOCK:
		return take_block(s, e);
	case PARSED_MEMBER_END:
		return take_member_end(s, e);
	case PARSED_END:
		return take_end(s, e);
	}
	return 0;
}

static ssize_t simulate_read(struct source *source, void *buf, size_t cap, struct err *e)
{
	struct simulate *s = (struct simulate *)source;

	while (s->why.kind == ERR_NONE && !s->ended && s->read == raw_end(&s->window))
		if (step(s, &s->why))
			err_at(&s->why, "gzip data");
	uint64_t have = raw_end(&s->window) - s->read;
	if (s->why.kind != ERR_NONE && !have) {
		if (e)
			*e = s->why;
		return -1;
	}
	size_t n = have < cap ? (size_t)have : cap;
	if (n)
		memcpy(buf, raw_at(&s->window, s->read), n);
	s->read += n;
	return (ssize_t)n;
}

static void simulate_free(struct source *source)
{
	struct simulate *s = (struct simulate *)source;

	parser_close(&s->parser);
	source_free(s->inner);
	differ_close(&s->differ);
	raw_release(&s->window);
	tokens_release(&s->real.tokens);
	free(s->real.blocks);
	free(s);
}

static int count_gzip(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct simulate *s = ctx;

	(void)bytes;
	(void)e;
	s->gzip += len;
	return 0;
}

struct source *source_simulate(struct source *inner, struct simulated *out, struct err *e)
{
	static const struct source_ops ops = { simulate_read, simulate_free };

	if (!inner)
		return NULL;
	struct simulate *s = calloc(1, sizeof(*s));
	if (!s) {
		source_free(inner);
		err_memory(e);
		return NULL;
	}
	s->base.ops = &ops;
	s->out = out;
	s->inner = source_tap(inner, count_gzip, s, e);
	s->real.blocks = malloc(LIMIT_BLOCKS_WAITING * sizeof(*s->real.blocks));
	if (!s->inner || raw_open(&s->window, e) || parser_open(&s->parser, s->inner, e)) {
		simulate_free(&s->base);
		return NULL;
	}
	if (!s->real.blocks) {
		err_memory(e);
		simulate_free(&s->base);
		return NULL;
	}
	return &s->base;
}

void simulated_release(struct simulated *s)
{
	buf_release(&s->recipe);
	*s = (struct simulated){ 0 };
}
