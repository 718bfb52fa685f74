/* SPDX-License-Identifier: Apache-2.0 */
/* Compose files (compose-spec): services.NAME.image. */
#include "base/buf.h"
#include "base/text.h"
#include "oci/interpolate.h"
#include "oci/scan_inside.h"

#include <stdio.h>
#include <string.h>

#define WHY 256

/* Services whose values are maps; Kubernetes has kinds with a field of this name. */
bool scan_is_compose(const struct ynode *root)
{
	const struct ynode *services = ynode_get(root, "services");

	if (!services || services->kind != YNODE_MAP || ynode_get(root, "apiVersion") || ynode_get(root, "kind"))
		return false;
	for (size_t i = 0; i + 1 < services->count; i += 2)
		if (ynode_get(services->items[i + 1], "image") || ynode_get(services->items[i + 1], "build"))
			return true;
	return false;
}

static int say_missing(struct sights *s, const struct ynode *image, const char *name, struct err *e)
{
	char shown[INTERPOLATE_NAME * 4];
	char why[WHY];

	if (*name)
		(void)snprintf(why, sizeof(why), "the variable %s is not set and has no default",
			       text_escape_str(shown, sizeof(shown), name));
	else
		(void)snprintf(why, sizeof(why), "its variables cannot be read");
	return sight_add(s, SIGHT_UNRESOLVED, image->line, image->text, why, e);
}

static int read_service(struct sights *s, const struct ynode *service, const struct scan_input *in, struct err *e)
{
	const struct ynode *image = ynode_get(service, "image");
	struct interpolate p = { .variable = in->variable, .ctx = in->ctx, .dollars = true };
	AUTO_BUF text = { 0 };

	if (!ynode_text(image))
		return 0;
	const int rc = interpolate(&p, image->text, &text, e);
	if (rc < 0)
		return -1;
	if (!rc)
		return say_missing(s, image, p.missing, e);
	/* Its name is what the build makes; a registry may have it or not. */
	if (ynode_get(service, "build"))
		return sight_add(s, SIGHT_UNRESOLVED, image->line, text.data ? text.data : "",
				 "it is built here (build:), so it is not asked from a registry", e);
	return sight_image(s, image->line, text.data ? text.data : "", e);
}

int scan_compose(struct sights *s, const struct ynode *root, const struct scan_input *in, struct err *e)
{
	const struct ynode *services = ynode_get(root, "services");

	for (size_t i = 0; i + 1 < services->count; i += 2)
		if (services->items[i + 1]->kind == YNODE_MAP && read_service(s, services->items[i + 1], in, e))
			return -1;
	return 0;
}
