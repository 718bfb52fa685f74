/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_NOPROXY_H
#define HTTP_NOPROXY_H

#include "base/err.h"

#include <stdint.h>

/*
 * The exceptions of NO_PROXY, as proxy.h describes them. `host` is in lower case, and an address if `ip` is not NULL.
 * 1: the list names it, go straight; 0: it does not; -1: out of memory.
 */
int noproxy_lists(const char *no_proxy, const char *host, const uint8_t *ip, uint16_t port, struct err *e);

#endif
