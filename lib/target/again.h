/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_AGAIN_H
#define TARGET_AGAIN_H

/* Trying again what a bad network broke. */

#include "base/err.h"

/* One try: 0 or more is its result, -1 with *e filled a failure. Whatever it opened is closed when it returns. */
typedef int again_fn(void *ctx, struct err *e);

/*
 * Up to `tries` tries (0: LIMIT_PUSH_TRIES) while what fails is the network and may pass: no answer, 408, 429, 5xx.
 * Between them it waits as long as the other side asks for (Retry-After, up to LIMIT_RETRY_AFTER_SECONDS), else half a
 * second, one, two, ... The result of the try that worked, or -1 with the last error and how many tries there were.
 */
int again(again_fn *attempt, void *ctx, unsigned tries, struct err *e);

#endif
