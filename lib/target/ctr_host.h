/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_CTR_HOST_H
#define TARGET_CTR_HOST_H

/* Where containerd listens, and which client of it is on this machine. */

#include "base/err.h"

#include <stdbool.h>

/*
 * The socket to use: `path` if it is not NULL, else $CONTAINERD_ADDRESS, else the first of the usual ones that is
 * there (containerd's own if none is). Borrowed from the argument, the environment, or static.
 */
const char *ctr_host_socket(const char *path);

/* Does somebody listen there, for this user? ERR_NETWORK that says what to do. */
int ctr_host_ping(const char *path, struct err *e);

/*
 * The client: words[0] is the program, words[1] its first argument or NULL. For the socket of k3s that is `k3s ctr`, if
 * there is no `ctr`. ERR_LOCAL: there is none.
 */
int ctr_host_client(const char *words[2], struct err *e);

#endif
