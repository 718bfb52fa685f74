/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/erasure.h"

#include <assert.h>
#include <isa-l/erasure_code.h>
#include <stdbool.h>
#include <string.h>

struct erasure {
	size_t data;
	size_t count;
	uint8_t *tables; /* ISA-L's: 32 bytes a coefficient */
};

/*
 * The equations. Row i of the matrix says how piece i is made of the data pieces: a parity piece r is the sum of
 * m[r][d] * piece d. With e data pieces lost, e parity pieces are among those that we have:
 *
 *     sum over lost d of m[r][d] * piece d = piece r + sum over present d of m[r][d] * piece d
 *
 * (plus is minus here). The e x e matrix on the left is a part of a Cauchy matrix, so it always has an inverse.
 */
struct equations {
	size_t data;
	const size_t *have;
	const uint8_t *matrix; /* (data + parity) x data */
	size_t lost[ERASURE_MAX];
	size_t used[ERASURE_MAX]; /* parity pieces that stand in for them */
	size_t count;             /* of both */
	uint8_t *inverse;         /* count x count */
	uint8_t *solution;        /* count x data: each lost piece, made of those in `have` */
};

static uint8_t coefficient(const struct equations *q, size_t row, size_t column)
{
	return q->matrix[row * q->data + column];
}

static void find_lost(struct equations *q)
{
	bool there[ERASURE_MAX] = { false };
	size_t used = 0;

	for (size_t i = 0; i < q->data; i++) {
		if (q->have[i] < q->data)
			there[q->have[i]] = true;
		else
			q->used[used++] = q->have[i];
	}
	for (size_t d = 0; d < q->data; d++)
		if (!there[d])
			q->lost[q->count++] = d;
	assert(q->count == used);
}

static void invert(struct equations *q, uint8_t *scratch)
{
	for (size_t r = 0; r < q->count; r++)
		for (size_t d = 0; d < q->count; d++)
			scratch[r * q->count + d] = coefficient(q, q->used[r], q->lost[d]);
	int singular = q->count ? gf_invert_matrix(scratch, q->inverse, (int)q->count) : 0;
	assert(!singular);
	(void)singular;
}

/* How much of the piece have[column] is in the lost piece number `lost`. */
static uint8_t solve(const struct equations *q, size_t lost, size_t column)
{
	const uint8_t *inverse = q->inverse + lost * q->count;
	const size_t piece = q->have[column];
	uint8_t sum = 0;

	for (size_t r = 0; r < q->count; r++) {
		if (piece < q->data)
			sum ^= gf_mul(inverse[r], coefficient(q, q->used[r], piece));
		else if (q->used[r] == piece)
			sum ^= inverse[r];
	}
	return sum;
}

/* The same for any piece: its row, with the lost pieces replaced by what they are made of. */
static uint8_t express(const struct equations *q, size_t want, size_t column)
{
	const size_t piece = q->have[column];
	uint8_t sum = piece < q->data ? coefficient(q, want, piece) : 0;

	for (size_t i = 0; i < q->count; i++)
		sum ^= gf_mul(coefficient(q, want, q->lost[i]), q->solution[i * q->data + column]);
	return sum;
}

static int make_tables(struct erasure *c, struct equations *q, const size_t *want, struct err *e)
{
	AUTO_MEM uint8_t *inverse = malloc(q->count * q->count + 1);
	AUTO_MEM uint8_t *scratch = malloc(q->count * q->count + 1);
	AUTO_MEM uint8_t *solution = malloc(q->count * q->data + 1);
	AUTO_MEM uint8_t *rows = malloc(c->count * q->data);

	if (!inverse || !scratch || !solution || !rows)
		return err_memory(e);
	q->inverse = inverse;
	q->solution = solution;
	invert(q, scratch);
	for (size_t i = 0; i < q->count; i++)
		for (size_t k = 0; k < q->data; k++)
			solution[i * q->data + k] = solve(q, i, k);
	for (size_t i = 0; i < c->count; i++)
		for (size_t k = 0; k < q->data; k++)
			rows[i * q->data + k] = express(q, want[i], k);
	ec_init_tables((int)q->data, (int)c->count, rows, c->tables);
	return 0;
}

struct erasure *erasure_new(size_t data, size_t parity, const size_t *have, const size_t *want, size_t count,
			    struct err *e)
{
	const size_t all = data + parity;
	size_t data_pieces[ERASURE_MAX];

	assert(data && count && all <= ERASURE_MAX && count <= all);
	for (size_t i = 0; i < data; i++)
		data_pieces[i] = i;
	AUTO(erasure) c = calloc(1, sizeof(*c));
	AUTO_MEM uint8_t *matrix = malloc(all * data);
	if (c)
		c->tables = malloc(32 * data * count);
	if (!c || !matrix || !c->tables) {
		err_memory(e);
		return NULL;
	}
	c->data = data;
	c->count = count;
	gf_gen_cauchy1_matrix(matrix, (int)all, (int)data);
	struct equations q = { .data = data, .have = have ? have : data_pieces, .matrix = matrix };
	find_lost(&q);
	return make_tables(c, &q, want, e) ? NULL : TAKE(c);
}

void erasure_run(const struct erasure *c, uint8_t *const *have, uint8_t *const *want, size_t len)
{
	/* ISA-L's arrays are not const, but it changes neither them nor what they point at. */
	uint8_t *from[ERASURE_MAX];
	uint8_t *to[ERASURE_MAX];

	memcpy(from, have, c->data * sizeof(*from));
	memcpy(to, want, c->count * sizeof(*to));
	ec_encode_data((int)len, (int)c->data, (int)c->count, c->tables, from, to);
}

void erasure_free(struct erasure *c)
{
	if (!c)
		return;
	free(c->tables);
	free(c);
}
