/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/credentials.h"

#include "base/buf.h"
#include "base/text.h"
#include "oci/json.h"
#include "oci/reference.h"
#include "registry/dockerconfig.h"
#include "registry/helper.h"
#include "registry/secret.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HUB_KEY "https://index.docker.io/v1/"
#define WHERE_SIZE 512

void credential_release(struct credential *c)
{
	text_wipe_free(c->username);
	text_wipe_free(c->password);
	text_wipe_free(c->identity_token);
	*c = (struct credential){ 0 };
}

/* Keys. */

static bool is_hub(const char *host, size_t len)
{
	return (len == 9 && !strncasecmp(host, "docker.io", len)) ||
	       (len == 15 && !strncasecmp(host, "index.docker.io", len));
}

/* What docker calls this registry in its files and to its helpers. */
static const char *docker_key(const char *registry)
{
	return is_hub(registry, strlen(registry)) ? HUB_KEY : registry;
}

/*
 * Does a key stand for this registry? Whole hosts are compared, ports included. Old keys carry a scheme and a path, and
 * both are dropped; without a scheme only docker's own /v1/ and /v2/ are, since "quay.io/team" is a credential that
 * other programs keep for that team alone.
 */
static bool key_fits(const char *key, const char *registry)
{
	static const char *const paths[] = { "", "/", "/v1", "/v1/", "/v2", "/v2/" };
	const char *host = key;
	bool old = false;

	if (!strncasecmp(host, "https://", 8) || !strncasecmp(host, "http://", 7)) {
		host = strchr(host, ':') + 3;
		old = true;
	}
	size_t len = strcspn(host, "/");
	bool path_fits = old;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		path_fits = path_fits || !strcmp(host + len, paths[i]);
	if (!path_fits)
		return false;
	if (is_hub(registry, strlen(registry)))
		return is_hub(host, len);
	return len == strlen(registry) && !strncasecmp(host, registry, len);
}

/* The member of `object` that stands for the registry: docker's own key first, then the first that fits. NULL: none. */
static const struct jval *find_entry(const struct jval *object, const char *registry, const char **key)
{
	const struct jval *value = jval_get(object, docker_key(registry));

	*key = docker_key(registry);
	if (value)
		return value;
	for (size_t i = 0; i < jval_count(object); i++) {
		*key = jval_key_at(object, i, &value);
		if (key_fits(*key, registry))
			return value;
	}
	return NULL;
}

static int check_registry(const char *registry, struct err *e)
{
	char shown[160];

	if (reference_registry_valid(registry))
		return 0;
	return err_set(e, ERR_USAGE, "\"%s\" is not a registry (HOST or HOST:PORT)",
		       text_escape_str(shown, sizeof(shown), registry));
}

/* The file. */

static int file_fault(const struct dockerconfig *d, const char *registry, const char *what, struct err *e)
{
	char shown[256];

	return err_set(e, ERR_LOCAL, "%s: the entry for %s %s",
		       text_escape_str(shown, sizeof(shown), dockerconfig_path(d)), registry, what);
}

/* base64 of "user:password". 1: read, 0: it is not that, -1: memory. */
static int decode_auth(const char *auth, struct credential *c, struct err *e)
{
	AUTO_SECRET plain = { 0 };
	int rc = secret_unbase64(&plain, auth, strlen(auth), e);

	if (rc <= 0)
		return rc;
	/* docker takes the password up to trailing NULs; one inside would end our strings early. */
	while (plain.len && !plain.data[plain.len - 1])
		plain.len--;
	char *colon = plain.len ? memchr(plain.data, ':', plain.len) : NULL;
	if (!colon || colon == plain.data || memchr(plain.data, '\0', plain.len))
		return 0;
	*colon = '\0';
	if (secret_copy(&c->username, plain.data, e) || secret_copy(&c->password, colon + 1, e))
		return -1;
	return 1;
}

/* Text of a member that may be missing: NULL then, and when it is empty. */
static int optional_text(const struct jval *object, const char *key, const char **out)
{
	*out = NULL;
	if (jval_get_text(object, key, false, out, NULL))
		return -1;
	if (*out && !**out)
		*out = NULL;
	return 0;
}

static int read_entry(const struct dockerconfig *d, const char *registry, const struct jval *entry,
		      struct credential *c, struct err *e)
{
	const char *auth;
	const char *user;
	const char *password;
	const char *identity;
	const char *bearer;

	if (jval_is_null(entry))
		return 0;
	if (!jval_is_object(entry) || optional_text(entry, "auth", &auth) || optional_text(entry, "username", &user) ||
	    optional_text(entry, "password", &password) || optional_text(entry, "identitytoken", &identity) ||
	    optional_text(entry, "registrytoken", &bearer))
		return file_fault(d, registry, "is not an object of texts", e);
	if (auth) {
		int rc = decode_auth(auth, c, e);
		if (rc < 0)
			return -1;
		if (!rc)
			return file_fault(d, registry, "has an \"auth\" that is not base64 of user:password", e);
	} else if (user && (password || identity)) {
		if (secret_copy(&c->username, user, e) || secret_copy(&c->password, password, e))
			return -1;
	}
	if (identity)
		return secret_copy(&c->identity_token, identity, e);
	if (c->username && !strcmp(c->username, "<token>")) {
		c->identity_token = TAKE(c->password);
		return 0;
	}
	if (!c->username && bearer)
		return file_fault(d, registry, "has only a \"registrytoken\", which imgpack cannot use; log in again",
				  e);
	return 0;
}

/* Which helper answers for the registry; NULL: the file itself. */
static int find_helper(const struct dockerconfig *d, const char *registry, const char **helper, struct err *e)
{
	const struct jval *root = dockerconfig_root(d);
	const struct jval *helpers = jval_get(root, "credHelpers");
	const char *key;
	char shown[256];

	*helper = NULL;
	if (!jval_is_null(helpers) && !jval_is_object(helpers))
		return err_set(e, ERR_LOCAL, "%s: \"credHelpers\" is not an object",
			       text_escape_str(shown, sizeof(shown), dockerconfig_path(d)));
	const struct jval *own = find_entry(helpers, registry, &key);
	if (own) {
		*helper = jval_text(own);
		if (!*helper)
			return file_fault(d, registry, "in \"credHelpers\" is not a text", e);
	} else if (jval_get_text(root, "credsStore", false, helper, NULL)) {
		return err_set(e, ERR_LOCAL, "%s: \"credsStore\" is not a text",
			       text_escape_str(shown, sizeof(shown), dockerconfig_path(d)));
	}
	if (*helper && !**helper)
		*helper = NULL;
	return 0;
}

static int look_up(const struct dockerconfig *d, const char *registry, struct credential *c, struct err *e)
{
	const struct jval *auths = jval_get(dockerconfig_root(d), "auths");
	const char *helper;
	const char *key;
	char shown[256];

	if (find_helper(d, registry, &helper, e))
		return -1;
	if (helper)
		return helper_get(helper, docker_key(registry), c, e);
	if (!jval_is_null(auths) && !jval_is_object(auths))
		return err_set(e, ERR_LOCAL, "%s: \"auths\" is not an object",
			       text_escape_str(shown, sizeof(shown), dockerconfig_path(d)));
	return read_entry(d, registry, find_entry(auths, registry, &key), c, e);
}

int credential_find(struct credential *out, const char *registry, struct err *e)
{
	struct credential c = { 0 };

	if (check_registry(registry, e))
		return -1;
	AUTO(dockerconfig) d = dockerconfig_load(e);
	if (!d)
		return -1;
	if (look_up(d, registry, &c, e)) {
		credential_release(&c);
		return err_at(e, "credentials for %s", registry);
	}
	*out = c;
	return 0;
}

bool credential_is_none(const char *registry)
{
	AUTO(dockerconfig) d = dockerconfig_load(NULL);
	const struct jval *auths = d ? jval_get(dockerconfig_root(d), "auths") : NULL;
	const char *helper;
	const char *key;

	/* What is broken is told by credential_find(). */
	if (!d || find_helper(d, registry, &helper, NULL) || helper)
		return false;
	return jval_is_null(auths) || (jval_is_object(auths) && !find_entry(auths, registry, &key));
}

/* Changing. */

static void say_helper(char where[WHERE_SIZE], const char *helper)
{
	(void)snprintf(where, WHERE_SIZE, "docker-credential-%s", helper);
}

/* {"auth":"..."} as docker writes it, the identity token beside it. */
static int make_entry(const struct credential *c, struct buf *out, struct err *e)
{
	AUTO_SECRET plain = { 0 };
	AUTO_SECRET auth = { 0 };
	size_t room = 256 + 2 * strlen(c->username) + (c->password ? 2 * strlen(c->password) : 0) +
		      (c->identity_token ? 6 * strlen(c->identity_token) : 0);

	if (secret_puts(&plain, c->username, e) || secret_puts(&plain, ":", e) ||
	    secret_puts(&plain, c->password ? c->password : "", e) || secret_base64(&auth, plain.data, plain.len, e) ||
	    buf_reserve(out, room, e))
		return -1;
	struct jout j = jout_begin(out);
	jout_object(&j);
	jout_key(&j, "auth");
	jout_text(&j, auth.data);
	if (c->identity_token) {
		jout_key(&j, "identitytoken");
		jout_text(&j, c->identity_token);
	}
	jout_end(&j);
	return jout_finish(&j, e);
}

static int check_storable(const struct credential *c, struct err *e)
{
	if (!c->username || !*c->username)
		return err_set(e, ERR_USAGE, "a user name is needed");
	if (strchr(c->username, ':'))
		return err_set(e, ERR_USAGE, "a user name cannot hold a colon (RFC 7617)");
	if (!c->identity_token && (!c->password || !*c->password))
		return err_set(e, ERR_USAGE, "a password is needed");
	return 0;
}

int credential_store(const char *registry, const struct credential *c, char where[512], struct err *e)
{
	AUTO_SECRET entry = { 0 };
	const char *helper;

	if (check_registry(registry, e) || check_storable(c, e))
		return -1;
	AUTO(dockerconfig) d = dockerconfig_load(e);
	if (!d || find_helper(d, registry, &helper, e))
		return -1;
	const char *key = docker_key(registry);
	if (!helper) {
		if (make_entry(c, &entry, e) || dockerconfig_set_auth(d, key, entry.data, e))
			return -1;
		text_escape_str(where, WHERE_SIZE, dockerconfig_path(d));
		return 0;
	}
	if (helper_store(helper, key, c, e))
		return -1;
	/* As docker does: an empty entry says that there is a login, and an old password in the file goes. */
	if (dockerconfig_set_auth(d, key, "{}", e))
		return err_hint(e, "docker-credential-%s has stored the credentials", helper);
	say_helper(where, helper);
	return 0;
}

/* Takes every entry for the registry out of the file, one a turn, because the document changes under the reader. */
static int erase_from_file(const char *registry, bool *found, struct err *e)
{
	for (;;) {
		AUTO(dockerconfig) d = dockerconfig_load(e);
		const char *key;
		if (!d)
			return -1;
		const struct jval *auths = jval_get(dockerconfig_root(d), "auths");
		if (!jval_is_object(auths) || !find_entry(auths, registry, &key))
			return 0;
		if (dockerconfig_set_auth(d, key, NULL, e))
			return -1;
		*found = true;
	}
}

int credential_erase(const char *registry, bool *found, char where[512], struct err *e)
{
	struct credential old = { 0 };
	bool in_file = false;
	const char *helper;

	if (check_registry(registry, e))
		return -1;
	AUTO(dockerconfig) d = dockerconfig_load(e);
	if (!d || find_helper(d, registry, &helper, e))
		return -1;
	const char *server = docker_key(registry);
	if (helper && helper_get(helper, server, &old, e))
		return -1;
	bool in_helper = old.username != NULL;
	credential_release(&old);
	if (in_helper && helper_erase(helper, server, e))
		return -1;
	if (erase_from_file(registry, &in_file, e))
		return -1;
	if (helper)
		say_helper(where, helper);
	else
		text_escape_str(where, WHERE_SIZE, dockerconfig_path(d));
	*found = helper ? in_helper : in_file;
	return 0;
}
