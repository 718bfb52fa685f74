/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_PLACE_H
#define FLOW_PLACE_H

/*
 * A TARGET, as --to and inventory take it:
 *
 *     docker                           DOCKER_HOST, or docker's default socket
 *     podman                           CONTAINER_HOST, or the socket of this user's podman, or root's
 *     containerd[:SOCKET[,NAMESPACE]]  the socket that CONTAINERD_ADDRESS names, or the usual one; k8s.io
 *     k3s[:FOLDER]                     the folder out of which k3s takes images when it starts
 *     registry:HOST[:PORT][/PREFIX]
 *     oci:DIR                          an OCI image layout
 */

#include "base/err.h"
#include "base/events.h"
#include "base/limits.h"
#include "http/http.h"

#include <stdbool.h>

enum target_kind { TARGET_DOCKER, TARGET_PODMAN, TARGET_CONTAINERD, TARGET_K3S, TARGET_REGISTRY, TARGET_OCI };

struct place {
	enum target_kind kind;
	char registry[LIMIT_REPOSITORY + 1];          /* of a registry: HOST[:PORT] */
	char prefix[LIMIT_REPOSITORY + 1];            /* and PREFIX, without slashes around it; or "" */
	char path[LIMIT_PATH + 1];                    /* SOCKET, FOLDER or DIR; "": the usual one */
	char space[LIMIT_NAMESPACE + 1];              /* NAMESPACE; "" unless it is containerd */
	char text[LIMIT_PATH + LIMIT_NAMESPACE + 32]; /* the whole, for reports: as it was typed */
};

/* True if it begins as a target does: what else could stand there is a file, and one of such a name is "./docker". */
bool place_is_target(const char *text);

/* Reads it. Nothing is looked at or asked. ERR_USAGE. */
int place_parse(struct place *out, const char *target, struct err *e);

/*
 * place_parse(); where `target` is NULL, the first that answers of docker, podman and containerd, which is said.
 * ERR_NETWORK: none does; the message names the choices.
 */
int place_choose(struct place *out, const char *target, struct http *http, const struct events *events, struct err *e);

#endif
