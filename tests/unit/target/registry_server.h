/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TARGET_REGISTRY_SERVER_H
#define TESTS_TARGET_REGISTRY_SERVER_H

/* Debian's docker-registry on a free port, its data in `folder`. 0 if it cannot be started. */

#include "tests/unit/target/server.h"

static inline pid_t registry_start(const char *folder, unsigned *port)
{
	char config[128];
	char log[128];
	const char *const argv[] = { "docker-registry", "serve", config, NULL };

	*port = free_port();
	(void)snprintf(config, sizeof(config), "%s/registry.yml", folder);
	(void)snprintf(log, sizeof(log), "%s/registry.log", folder);
	FILE *f = fopen(config, "w");
	if (!f)
		return 0;
	(void)fprintf(f,
		      "version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: %s/registry}\n"
		      "http: {addr: '127.0.0.1:%u'}\n",
		      folder, *port);
	if (fclose(f))
		return 0;
	pid_t pid = server_start(argv, log);
	if (server_wait_tcp(pid, *port, 20))
		return pid;
	server_stop(pid);
	return 0;
}

#endif
