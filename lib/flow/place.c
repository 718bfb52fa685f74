/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/place.h"

#include "base/text.h"
#include "oci/reference.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

#define CHOICES                                                                                                        \
	"docker, podman, containerd[:SOCKET[,NAMESPACE]], k3s[:FOLDER], registry:HOST[:PORT][/PREFIX] or oci:DIR"
#define NAMESPACE "k8s.io"

static int take_path(struct place *p, const char *path, size_t len, struct err *e)
{
	if (len > LIMIT_PATH)
		return err_set(e, ERR_USAGE, "the path is longer than %d bytes", LIMIT_PATH);
	(void)snprintf(p->path, sizeof(p->path), "%.*s", (int)len, path);
	return 0;
}

static int parse_registry(struct place *p, const char *rest, struct err *e)
{
	const char *slash = strchr(rest, '/');
	size_t host = slash ? (size_t)(slash - rest) : strlen(rest);
	const char *prefix = slash ? slash + 1 : "";
	size_t len = strlen(prefix);

	while (len && prefix[len - 1] == '/')
		len--;
	if (host > LIMIT_REPOSITORY || len > LIMIT_REPOSITORY)
		return err_set(e, ERR_USAGE, "the name is longer than %d bytes", LIMIT_REPOSITORY);
	(void)snprintf(p->registry, sizeof(p->registry), "%.*s", (int)host, rest);
	(void)snprintf(p->prefix, sizeof(p->prefix), "%.*s", (int)len, prefix);
	if (!reference_registry_valid(p->registry) || (len && !reference_repository_valid(p->prefix)))
		return err_set(e, ERR_USAGE, "write registry:HOST[:PORT][/PREFIX]");
	(void)snprintf(p->text, sizeof(p->text), "registry:%s%s%s", p->registry, len ? "/" : "", p->prefix);
	return 0;
}

/* As containerd checks it: letters and digits, with single "." "_" "-" between them. */
static bool is_namespace(const char *s)
{
	bool between = true;

	for (; *s; s++) {
		const bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');
		if (!plain && (between || !strchr("._-", *s)))
			return false;
		between = !plain;
	}
	return !between;
}

/* The namespace is what stands behind the last comma. A path alone may be left out, too: "containerd:,moby". */
static int parse_containerd(struct place *p, const char *rest, struct err *e)
{
	const char *comma = strrchr(rest, ',');
	const char *space = comma ? comma + 1 : NAMESPACE;
	size_t len = comma ? (size_t)(comma - rest) : strlen(rest);

	if (len >= strlen("unix://") && text_starts(rest, "unix://")) {
		rest += strlen("unix://");
		len -= strlen("unix://");
	}
	if (len && *rest != '/')
		return err_set(e, ERR_USAGE,
			       "a socket is written as a whole path: containerd:/run/containerd/containerd.sock");
	if (strlen(space) > LIMIT_NAMESPACE || !is_namespace(space))
		return err_set(e, ERR_USAGE, "a namespace is at most %d letters and digits, with single . _ - between",
			       LIMIT_NAMESPACE);
	(void)snprintf(p->space, sizeof(p->space), "%s", space);
	return take_path(p, rest, len, e);
}

static int parse_oci(struct place *p, const char *rest, struct err *e)
{
	if (!*rest)
		return err_set(e, ERR_USAGE, "write oci:DIR, the folder of an OCI image layout");
	return take_path(p, rest, strlen(rest), e);
}

static int parse_k3s(struct place *p, const char *rest, struct err *e)
{
	return take_path(p, rest, strlen(rest), e);
}

static int parse_word(struct place *p, const char *rest, struct err *e)
{
	(void)p;
	return *rest ? err_set(e, ERR_USAGE, "nothing may stand behind this word") : 0;
}

static const struct kind {
	const char *word;
	enum target_kind kind;
	bool alone; /* may stand without ":..." */
	int (*parse)(struct place *p, const char *rest, struct err *e);
} kinds[] = {
	{ "docker", TARGET_DOCKER, true, parse_word },
	{ "podman", TARGET_PODMAN, true, parse_word },
	{ "containerd", TARGET_CONTAINERD, true, parse_containerd },
	{ "k3s", TARGET_K3S, true, parse_k3s },
	{ "registry", TARGET_REGISTRY, false, parse_registry },
	{ "oci", TARGET_OCI, false, parse_oci },
};

bool place_is_target(const char *text)
{
	const size_t word = strcspn(text, ":");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].word) == word && !memcmp(text, kinds[i].word, word) &&
		    (text[word] || kinds[i].alone))
			return true;
	return false;
}

int place_parse(struct place *out, const char *target, struct err *e)
{
	char shown[160];
	size_t word = strcspn(target, ":");

	*out = (struct place){ .kind = TARGET_DOCKER };
	(void)text_escape_str(out->text, sizeof(out->text), target);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];
		if (strlen(k->word) != word || memcmp(target, k->word, word) != 0 || (!target[word] && !k->alone))
			continue;
		out->kind = k->kind;
		if (k->parse(out, target[word] ? target + word + 1 : "", e))
			return err_at(e, "%s", text_escape_str(shown, sizeof(shown), target));
		return 0;
	}
	return err_set(e, ERR_USAGE, "%s: is no target; there is " CHOICES,
		       text_escape_str(shown, sizeof(shown), target));
}

int place_choose(struct place *out, const char *target, struct http *http, const struct events *events, struct err *e)
{
	char docker[256] = "";
	char podman[256] = "";
	char containerd[256] = "";

	if (target)
		return place_parse(out, target, e);
	if (target_docker_answers(NULL, http, docker)) {
		event_text(events, EVENT_NOTE, "loading into docker at %s", docker);
		return place_parse(out, "docker", e);
	}
	if (target_podman_answers(http, podman)) {
		event_text(events, EVENT_NOTE, "loading into podman at %s", podman);
		return place_parse(out, "podman", e);
	}
	if (target_containerd_answers(NULL, containerd)) {
		event_text(events, EVENT_NOTE, "loading into containerd at %s, namespace " NAMESPACE, containerd);
		return place_parse(out, "containerd", e);
	}
	return err_set(e, ERR_NETWORK,
		       "no docker answers at %s, no podman at %s, no containerd at %s; say where: --to " CHOICES,
		       docker, podman, containerd);
}
