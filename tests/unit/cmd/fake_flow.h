/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CMD_FAKE_FLOW_H
#define TESTS_UNIT_CMD_FAKE_FLOW_H

/*
 * lib/flow/flow.h without registries and archives: writes down what it was asked, then answers or fails as it was told.
 * Set it up before the program runs (also in a child of fork()).
 */

#include "flow/flow.h"

struct fake_flow {
	int diary;          /* descriptor for one line a call, or -1 */
	enum err_kind fail; /* every flow fails so */
	const char *fail_text;
	size_t images;    /* in reports */
	const char *name; /* of the first image; NULL: a good one */
	size_t problems;  /* of verify */
	bool nameless;
	bool wait_for_signal; /* until cancel_requested(), then ERR_CANCELLED */
	size_t events;        /* how many items' events are sent */
	const char *warning;
};
extern struct fake_flow fake;

void fake_reset(void);

/* Images as a report has them; released by the report's free. */
void fake_images(struct flow_images *out, size_t count);
void fake_images_release(struct flow_images *images);

#endif
