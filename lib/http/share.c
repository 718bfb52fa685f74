/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global = CURLE_FAILED_INIT;

static void init_curl(void)
{
	global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *ctx)
{
	struct http *h = ctx;

	(void)easy;
	(void)access;
	pthread_mutex_lock(&h->locks[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *ctx)
{
	struct http *h = ctx;

	(void)easy;
	pthread_mutex_unlock(&h->locks[data]);
}

/* Names are resolved once a run and TLS sessions resumed by every worker. Connections stay each client's own. */
static int make_share(struct http *h, struct err *e)
{
	for (; h->locks_made < CURL_LOCK_DATA_LAST; h->locks_made++)
		if (pthread_mutex_init(&h->locks[h->locks_made], NULL))
			return err_memory(e);
	h->share = curl_share_init();
	if (!h->share)
		return err_memory(e);
	if (curl_share_setopt(h->share, CURLSHOPT_LOCKFUNC, lock) ||
	    curl_share_setopt(h->share, CURLSHOPT_UNLOCKFUNC, unlock) ||
	    curl_share_setopt(h->share, CURLSHOPT_USERDATA, h) ||
	    curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ||
	    curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION))
		return err_set(e, ERR_LOCAL, "libcurl cannot share names and TLS sessions between threads");
	return 0;
}

static int copy_text(char **out, const char *text, struct err *e)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : err_memory(e);
}

/* A file that is named must be readable now, not at the first handshake of a long run. */
static int copy_file(char **out, const char *path, const char *option, struct err *e)
{
	if (!path)
		return 0;
	if (trust_check_file(path, option, e))
		return -1;
	return copy_text(out, path, e);
}

static int copy_list(char ***out, const char *const *list, struct err *e)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	char **copy = calloc(count + 1, sizeof(*copy));
	if (!copy)
		return err_memory(e);
	*out = copy;
	for (size_t i = 0; i < count; i++)
		if (copy_text(&copy[i], list[i], e))
			return -1;
	return 0;
}

struct http *http_new(const struct http_options *options, struct err *e)
{
	static const struct http_options nothing = { 0 };
	const struct http_options *o = options ? options : &nothing;

	pthread_once(&once, init_curl);
	if (global != CURLE_OK) {
		err_set(e, ERR_LOCAL, "libcurl cannot start: %s", curl_easy_strerror(global));
		return NULL;
	}
	AUTO(http) h = calloc(1, sizeof(*h));
	if (!h) {
		err_memory(e);
		return NULL;
	}
	h->connect_seconds = o->connect_seconds ? o->connect_seconds : 15;
	h->stall_seconds = o->stall_seconds ? o->stall_seconds : 30;
	if (o->limit_rate && !(h->pace = pace_new(o->limit_rate, NULL, e)))
		return NULL;
	if (copy_text(&h->user_agent, o->user_agent ? o->user_agent : "imgpack/" IMGPACK_VERSION, e) ||
	    copy_file(&h->cacert, o->cacert, "--cacert", e) || copy_file(&h->cert, o->cert, "--cert", e) ||
	    copy_file(&h->key, o->key, "--key", e) || copy_list(&h->insecure, o->insecure, e) ||
	    proxy_rules_init(&h->proxies, o->proxy, o->docker_proxies, e) || make_share(h, e))
		return NULL;
	return TAKE(h);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (h->share)
		curl_share_cleanup(h->share);
	while (h->locks_made)
		pthread_mutex_destroy(&h->locks[--h->locks_made]);
	proxy_rules_release(&h->proxies);
	trust_release(h);
	pace_free(h->pace);
	for (char **p = h->insecure; p && *p; p++)
		free(*p);
	free(h->insecure);
	free(h->user_agent);
	free(h->cacert);
	free(h->cert);
	free(h->key);
	free(h);
}
