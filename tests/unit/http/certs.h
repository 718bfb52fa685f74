/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_HTTP_CERTS_H
#define TESTS_UNIT_HTTP_CERTS_H

/* A folder of certificates that lives as long as the test; certs.sh says what is in it. */

#include "unit/http/server.h"

static char certs[] = "/tmp/imgpack-certs-XXXXXX";

static inline void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static inline void certs_make(void)
{
	char command[512];

	assert_non_null(mkdtemp(certs));
	snprintf(command, sizeof(command), "sh '%s/../tests/unit/http/certs.sh' '%s'", FIXTURES, certs);
	run(command);
}

static inline void certs_remove(void)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -r '%s'", certs);
	run(command);
}

/* A path in the folder, in one of a few buffers that take turns. */
static inline const char *cert(const char *name)
{
	static char paths[8][128];
	static size_t turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", certs, name);
	return path;
}

static inline void tls_start(struct server *s, const char *name)
{
	char pem[64];
	char key[64];

	snprintf(pem, sizeof(pem), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	const char *const args[] = { "--tls", cert(pem), cert(key), NULL };
	server_start(s, "https", args);
}

#endif
