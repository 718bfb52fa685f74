/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_DOCKER_STREAM_H
#define TARGET_DOCKER_STREAM_H

/*
 * What POST /images/load answers: JSON objects one behind the other, cut anywhere by the network. docker answers HTTP
 * 200 before it knows how the load ends; an error is then an object of the stream, and the containerd store's failed
 * unpack is only a sentence in one. podman answers one object without a newline.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `struct docker_stream s = { .events = ev };`; docker_stream_release() at the end. */
struct docker_stream {
	const struct events *events;
	struct buf object; /* the one that is arriving */
	unsigned depth;    /* of open braces in it */
	bool in_string;
	bool escaped; /* behind a backslash */
	bool loaded;  /* "Loaded image" was said */
	uint64_t total;
};

/* ERR_TARGET with the daemon's words for an error in the stream, or for what is no such stream. */
int docker_stream_feed(struct docker_stream *s, const char *bytes, size_t len, struct err *e);

/* The stream ended: was every object complete, and did one say that something was loaded? */
int docker_stream_end(const struct docker_stream *s, struct err *e);

void docker_stream_release(struct docker_stream *s);

#endif
