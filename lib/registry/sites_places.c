/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sites_read.h"

#include "base/own.h"

#include <stdio.h>
#include <string.h>

/* NAME in this user's folder of settings, if he has one. */
static int add_own(char ***list, const char *name, struct err *e)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	AUTO_MEM char *folder = NULL;

	if (xdg && *xdg == '/')
		return sites_add_file(list, xdg, name, e);
	if (!home || *home != '/')
		return 0;
	if (asprintf(&folder, "%s/.config", home) < 0) {
		folder = NULL;
		return err_memory(e);
	}
	return sites_add_file(list, folder, name, e);
}

int sites_standard(struct sites_standard *s, struct err *e)
{
	const char *conf = getenv("CONTAINERS_REGISTRIES_CONF");

	if (add_own(&s->daemon_json, "docker/daemon.json", e) ||
	    sites_add_file(&s->daemon_json, NULL, "/etc/docker/daemon.json", e) ||
	    add_own(&s->docker_certs, "docker/certs.d", e) ||
	    sites_add_file(&s->docker_certs, NULL, "/etc/docker/certs.d", e) ||
	    add_own(&s->docker_certs, "containers/certs.d", e) ||
	    sites_add_file(&s->docker_certs, NULL, "/etc/containers/certs.d", e) ||
	    sites_add_file(&s->containerd_certs, NULL, "/etc/containerd/certs.d", e))
		return -1;
	/* podman's own variable: that file, and no drop-ins beside it. */
	if (conf && *conf) {
		if (sites_add_file(&s->registries_conf, NULL, conf, e))
			return -1;
	} else if (add_own(&s->registries_conf, "containers/registries.conf", e) ||
		   sites_add_file(&s->registries_conf, NULL, "/etc/containers/registries.conf", e) ||
		   sites_add_file(&s->registries_conf_d, NULL, "/etc/containers/registries.conf.d", e) ||
		   add_own(&s->registries_conf_d, "containers/registries.conf.d", e)) {
		return -1;
	}
	s->places = (struct sites_places){
		.daemon_json = (const char *const *)s->daemon_json,
		.docker_certs = (const char *const *)s->docker_certs,
		.containerd_certs = (const char *const *)s->containerd_certs,
		.registries_conf = (const char *const *)s->registries_conf,
		.registries_conf_d = (const char *const *)s->registries_conf_d,
	};
	return 0;
}

void sites_standard_release(struct sites_standard *s)
{
	sites_free_list(s->daemon_json);
	sites_free_list(s->docker_certs);
	sites_free_list(s->containerd_certs);
	sites_free_list(s->registries_conf);
	sites_free_list(s->registries_conf_d);
	*s = (struct sites_standard){ 0 };
}
