/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/mirror.h"

#include "base/text.h"

#include <string.h>

static const char *scheme(const struct mirror *m)
{
	return m->tls ? "https" : "http";
}

/*
 * containerd's "Registry Configuration": the folder's name is the registry, _default stands for all. Without `server`
 * the registry itself is asked next.
 */
static int containerd(const struct mirror *m, struct buf *out, struct buf *advice, struct err *e)
{
	if (buf_printf(out, e,
		       "# /etc/containerd/certs.d/_default/hosts.toml on every node; for one registry alone the folder "
		       "has\n"
		       "# its name instead of _default: docker.io, quay.io. No restart is needed.\n"
		       "# Once, in /etc/containerd/config.toml (then restart containerd):\n"
		       "#   [plugins.\"io.containerd.grpc.v1.cri\".registry]\n"
		       "#     config_path = \"/etc/containerd/certs.d\"\n"
		       "# containerd 2: [plugins.\"io.containerd.cri.v1.images\".registry], the same config_path.\n"
		       "# ctr: ctr images pull --hosts-dir /etc/containerd/certs.d NAME\n"
		       "# An image that is not here is looked for at its own registry.\n"
		       "[host.\"%s://%s\"]\n"
		       "  capabilities = [\"pull\", \"resolve\"]\n",
		       scheme(m), m->host))
		return -1;
	if (m->tls &&
	    buf_puts(out,
		     "  # ca = \"/etc/containerd/certs.d/imgpack-ca.pem\"  # if the system does not trust its CA\n", e))
		return -1;
	return buf_puts(out,
			"# If the server has --auth (BASE64: printf USER:PASSWORD | base64):\n"
			"#   [host.\"...\".header]\n"
			"#     Authorization = [\"Basic BASE64\"]\n",
			e) || buf_puts(advice, "goes to /etc/containerd/certs.d/_default/hosts.toml on every node", e)
		       ? -1
		       : 0;
}

/* containers-registries.conf(5). The registry stands in the mirror's path, so that it is clear whose image is meant. */
static int podman(const struct mirror *m, struct buf *out, struct buf *advice, struct err *e)
{
	if (buf_puts(out,
		     "# /etc/containers/registries.conf.d/imgpack.conf on every node, for podman, buildah, skopeo and "
		     "CRI-O\n"
		     "# (CRI-O: systemctl reload crio). An image that is not here is looked for at its own registry.\n",
		     e) ||
	    (m->tls &&
	     buf_printf(out, e, "# Its CA, if the system does not trust it: /etc/containers/certs.d/%s/ca.crt\n",
			m->host)) ||
	    buf_printf(out, e, "# If the server has --auth: podman login %s%s\n", m->tls ? "" : "--tls-verify=false ",
		       m->host))
		return -1;
	for (size_t i = 0; m->registries[i]; i++)
		if (buf_printf(out, e,
			       "\n[[registry]]\nprefix = \"%s\"\nlocation = \"%s\"\n\n"
			       "[[registry.mirror]]\nlocation = \"%s/%s\"\ninsecure = %s\n",
			       m->registries[i], m->registries[i], m->host, m->registries[i],
			       m->tls ? "false" : "true"))
			return -1;
	return buf_puts(advice, "goes to /etc/containers/registries.conf.d/imgpack.conf on every node", e);
}

/* JSON has no comments. */
static int docker(const struct mirror *m, struct buf *out, struct buf *advice, struct err *e)
{
	if (buf_printf(out, e, "{\n  \"registry-mirrors\": [\"%s://%s\"]", scheme(m), m->host) ||
	    (!m->tls && buf_printf(out, e, ",\n  \"insecure-registries\": [\"%s\"]", m->host)) ||
	    buf_puts(out, "\n}\n", e))
		return -1;
	if (buf_printf(advice, e,
		       "goes to /etc/docker/daemon.json on every node (what is in it already stays: put these members "
		       "beside it); then: systemctl reload docker\n"
		       "docker asks mirrors for Docker Hub's images alone; the others are pulled by their whole name: "
		       "docker pull %s/quay.io/...",
		       m->host))
		return -1;
	return m->tls ? buf_printf(advice, e,
				   "\nits CA, if the system does not trust it: /etc/docker/certs.d/%s/ca.crt", m->host)
		      : 0;
}

int mirror_config(const struct mirror *m, enum mirror_client client, struct buf *out, struct buf *advice, struct err *e)
{
	switch (client) {
	case MIRROR_CONTAINERD:
		return containerd(m, out, advice, e);
	case MIRROR_PODMAN:
		return podman(m, out, advice, e);
	case MIRROR_DOCKER:
		break;
	}
	return docker(m, out, advice, e);
}

int mirror_client(const char *word, enum mirror_client *out, struct err *e)
{
	static const char *const words[] = { "containerd", "podman", "docker" };
	char shown[64];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i], word)) {
			*out = (enum mirror_client)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "\"%s\": expected containerd, docker or podman",
		       text_escape_str(shown, sizeof(shown), word));
}
