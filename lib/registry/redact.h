/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REDACT_H
#define REGISTRY_REDACT_H

/* Words of a server on their way to a person: what it quotes of our secrets, or of its own, is not shown. */

#include "base/buf.h"

/*
 * Overwrites in place with '*': `secret` (what stood behind Authorization's scheme, or was sent in a form; or NULL),
 * also percent-encoded, and if it is base64 of "user:password" the password; of any URL its userinfo and the values of
 * its query, since a signed one opens what it names to everybody. A server that wants to betray us can spell a secret
 * backwards: this is against those that quote it without a thought.
 */
void redact(struct buf *text, const char *secret);

#endif
