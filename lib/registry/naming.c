/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/naming.h"

#include <fnmatch.h>
#include <string.h>

struct house {
	const char *host;   /* fnmatch(3) pattern, without the port */
	size_t least, most; /* parts of the path; most 0: any number */
	size_t longest;     /* bytes of the path; 0: what the specification allows */
	bool plain;         /* one separator between two letters or digits: no "a--b", no "a__b" */
	const char *shape;
	const char *missing; /* what to do where a push is refused though the name is right; or NULL */
};

/* clang-format off */
static const struct house houses[] = {
	{ "docker.io", 2, 2, 0, false, "docker.io/USER/NAME",
	  "USER must be you or an organization of yours; the repository is made by the push" },
	{ "quay.io", 2, 0, 0, false, "quay.io/NAMESPACE/NAME",
	  "NAMESPACE must be you or an organization in which you may create repositories; a push makes the repository" },
	{ "ghcr.io", 2, 0, 0, false, "ghcr.io/OWNER/NAME",
	  "the token needs write:packages, and a package that exists must allow it" },
	{ "registry.gitlab.com", 2, 0, 0, false, "registry.gitlab.com/GROUP/PROJECT[/NAME[/NAME]]",
	  "GROUP/PROJECT must exist in GitLab with its container registry on, with at most two names behind it" },
	{ "gcr.io", 2, 0, 0, false, "gcr.io/PROJECT/NAME", NULL },
	{ "*.gcr.io", 2, 0, 0, false, "HOST.gcr.io/PROJECT/NAME", NULL },
	{ "*-docker.pkg.dev", 3, 0, 0, false, "LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/NAME",
	  "PROJECT/REPOSITORY must exist: gcloud artifacts repositories create" },
	{ "public.ecr.aws", 2, 0, 205, true, "public.ecr.aws/ALIAS/NAME",
	  "the repository must exist: aws ecr-public create-repository --repository-name NAME" },
	{ "*.dkr.ecr.*.amazonaws.com", 1, 0, 256, true, "HOST/NAME",
	  "the repository must exist: aws ecr create-repository --repository-name NAME" },
	{ "*.dkr.ecr.*.amazonaws.com.cn", 1, 0, 256, true, "HOST/NAME",
	  "the repository must exist: aws ecr create-repository --repository-name NAME" },
};
/* clang-format on */

static const struct house *house_of(const char *registry)
{
	char host[LIMIT_REPOSITORY + 1];
	size_t len = strcspn(registry, ":");

	if (len >= sizeof(host))
		return NULL;
	memcpy(host, registry, len);
	host[len] = '\0';
	for (size_t i = 0; i < sizeof(houses) / sizeof(*houses); i++)
		if (!fnmatch(houses[i].host, host, 0))
			return &houses[i];
	return NULL;
}

static size_t count_parts(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static bool is_separator(char c)
{
	return c == '.' || c == '_' || c == '-';
}

static bool is_plain(const char *path)
{
	for (; path[0]; path++)
		if (is_separator(path[0]) && is_separator(path[1]))
			return false;
	return true;
}

int naming_check(const struct reference *name, struct err *e)
{
	const struct house *h = house_of(name->registry);
	const char *path = name->repository;

	if (!h)
		return 0;
	const size_t parts = count_parts(path);
	if (parts < h->least || (h->most && parts > h->most))
		err_set(e, ERR_TARGET, "%s/%s: %s takes names of the form %s", name->registry, path, name->registry,
			h->shape);
	else if (h->longest && strlen(path) > h->longest)
		err_set(e, ERR_TARGET, "%s/%s: %s takes names of at most %zu bytes", name->registry, path,
			name->registry, h->longest);
	else if (h->plain && !is_plain(path))
		err_set(e, ERR_TARGET, "%s/%s: %s takes one of \".\", \"_\", \"-\" between letters or digits, not two",
			name->registry, path, name->registry);
	else if (!strcmp(name->registry, "docker.io") && !strncmp(path, "library/", 8))
		err_set(e, ERR_TARGET, "%s/%s: docker.io/library holds Docker's official images alone", name->registry,
			path);
	else
		return 0;
	return err_hint(e, "nothing was uploaded; give it another name with --name OLD=NEW");
}

int naming_hint_missing(const char *host, const char *repository, struct err *e)
{
	const struct house *h = house_of(host);

	if (h && h->missing)
		return err_hint(e, "%s", h->missing);
	return err_hint(e, "%s may want the project \"%.*s\" (Harbor) or the repository (ECR) to be made first", host,
			(int)strcspn(repository, "/"), repository);
}
