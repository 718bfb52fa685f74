/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_HARBOR_H
#define REGISTRY_HARBOR_H

/*
 * Harbor keeps repositories in projects, and a push never makes one: it answers 401 to a name in a project that is not
 * there. Its own API (/api/v2.0, Harbor 2.0 and later; swagger.yaml of goharbor/harbor) knows them. It is asked with
 * the registry's credentials as Basic, at the registry's own origin, without cookies: Harbor wants its CSRF token of
 * browser sessions alone.
 */

#include "registry/registry.h"

/* 1: a Harbor of version 2 answers there (GET systeminfo, which needs no login); 0: none does; -1: no answer. */
int harbor_answers(struct registry_conn *c, struct err *e);

/*
 * 1: the project is there, 0: it is not, -1. ERR_DENIED: nobody is logged in, or the API takes no such login (users of
 * an OIDC provider, whose CLI secret is for pulls and pushes).
 */
int harbor_has_project(struct registry_conn *c, const char *project, struct err *e);

/*
 * A private project, with the quota that the Harbor gives new ones. 1: made; 0: it was there already, or somebody else
 * has just made it; -1: ERR_DENIED (Harbor may allow it to administrators alone, and to robot accounts of the system,
 * not to those of a project), ERR_TARGET: it does not take the name.
 */
int harbor_make_project(struct registry_conn *c, const char *project, struct err *e);

#endif
