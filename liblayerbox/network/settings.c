/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings.h"

#include <fcntl.h>

#include "../core/name.h"
#include "../core/store.h"
#include "../core/subnet.h"
#include "../util/file.h"
#include "../util/keyfile.h"
#include "../util/tree.h"
#include "ipv6.h"

enum { SETTINGS_BYTES_MAX = 64 * 1024, MTU_MIN = 1280, MTU_MAX = 65535 };

int network_check_name(struct lb_context *ctx, const char *name)
{
	if (name_is_bridge(name))
		return 0;
	return fail(ctx, -LB_ERR_BAD_NAME,
		    "\"%.40s\" cannot be the name of a network: its bridge is called so, in up to 15 lower-case "
		    "letters, "
		    "digits and dashes",
		    name);
}

const char *network_name(const struct lb_context *ctx, const char *name)
{
	return text_empty(name) ? ctx->config.bridge : name;
}

/* ------------------------------------------------------------------------------------------------ keys */

static const char *set_subnet(struct network_settings *settings, const char *value)
{
	struct subnet subnet;
	const char *why = subnet_parse(value, &subnet);

	if (why)
		return why;
	settings->has_subnet = text_copy(settings->subnet, sizeof settings->subnet, value);
	return settings->has_subnet ? NULL : "is too long";
}

static char *get_subnet(const struct network_settings *settings)
{
	return strdup(settings->subnet);
}

static const char *set_ipv6(struct network_settings *settings, const char *value)
{
	struct ipv6_prefix prefix;
	const char *why = NULL;

	*settings->ipv6 = '\0';
	if (!*value)
		return NULL;
	if (text_equal(value, "auto"))
		why = ipv6_prefix_random(&prefix) < 0 ? "cannot be chosen: there are no random numbers" : NULL;
	else
		why = ipv6_prefix_parse(value, &prefix);
	if (!why)
		ipv6_prefix_format(&prefix, settings->ipv6);
	return why;
}

static char *get_ipv6(const struct network_settings *settings)
{
	return strdup(settings->ipv6);
}

static const char *set_mtu(struct network_settings *settings, const char *value)
{
	uint64_t mtu = 0;

	if (*value && !text_to_number(value, MTU_MIN, MTU_MAX, &mtu))
		return "must be a number of bytes from 1280 (the least that IPv6 allows, RFC 8200) to 65535";
	settings->mtu = (unsigned)mtu;
	return NULL;
}

static char *get_mtu(const struct network_settings *settings)
{
	return settings->mtu ? text_format("%u", settings->mtu) : strdup("");
}

#define BOOL_KEY(member)                                                                                               \
	static const char *set_##member(struct network_settings *settings, const char *value)                          \
	{                                                                                                              \
		return text_to_bool(value, &settings->member) ? NULL : "must be yes or no";                            \
	}                                                                                                              \
	static char *get_##member(const struct network_settings *settings)                                             \
	{                                                                                                              \
		return strdup(settings->member ? "yes" : "no");                                                        \
	}

BOOL_KEY(isolated)
BOOL_KEY(antispoof)
BOOL_KEY(dhcp)

static const struct key {
	const char *name;
	const char *(*set)(struct network_settings *settings, const char *value);
	char *(*get)(const struct network_settings *settings);
} keys[] = {
	{ "subnet", set_subnet, get_subnet },
	{ "ipv6", set_ipv6, get_ipv6 },
	{ "mtu", set_mtu, get_mtu },
	{ "isolated", set_isolated, get_isolated },
	{ "antispoof", set_antispoof, get_antispoof },
	{ "dhcp", set_dhcp, get_dhcp },
};

enum { KEY_COUNT = sizeof keys / sizeof *keys };

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (text_equal(keys[i].name, name))
			return keys + i;
	return NULL;
}

const char *network_settings_set(struct network_settings *settings, const char *key, const char *value)
{
	const struct key *found = find_key(key);

	if (!found)
		return "is not a setting of a network; they are subnet, ipv6, mtu, isolated, antispoof, dhcp";
	return found->set(settings, value);
}

char *network_settings_get(const struct network_settings *settings, const char *key)
{
	const struct key *found = find_key(key);

	return found ? found->get(settings) : NULL;
}

const char *lb_network_key(size_t index)
{
	return index < KEY_COUNT ? keys[index].name : NULL;
}

/* ------------------------------------------------------------------------------------------- the file */

static const char *on_key(const char *key, const char *value, void *userdata)
{
	return network_settings_set(userdata, key, value);
}

static int no_network(struct lb_context *ctx, const char *name)
{
	return fail(ctx, -LB_ERR_NO_NETWORK,
		    "there is no network '%s'; `layerbox net list` shows those there are, `layerbox net create` makes "
		    "one",
		    name);
}

int network_settings_load(struct lb_context *ctx, const char *name, struct network_settings *ret_settings)
{
	struct network_settings settings = { .antispoof = true, .dhcp = true };
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE char *text = NULL;
	char error[512];
	int r;

	name = network_name(ctx, name);
	settings.is_default = text_equal(name, ctx->config.bridge);
	r = network_check_name(ctx, name);
	if (r < 0)
		return r;
	text_copy(settings.name, sizeof settings.name, name);
	if (settings.is_default)
		text_copy(settings.subnet, sizeof settings.subnet, ctx->config.subnet);
	path = store_path(ctx, STORE_NETWORK "/%s/" NETWORK_SETTINGS_FILE, name);
	if (!path)
		return fail_memory(ctx);
	r = file_read(AT_FDCWD, path, SETTINGS_BYTES_MAX, &text, NULL);
	if (r == -ENOENT && !settings.is_default)
		return no_network(ctx, name);
	if (r < 0 && r != -ENOENT)
		return fail_errno(ctx, r, "cannot read %s", path);
	if (r == 0 && keyfile_parse(text, path, on_key, &settings, error, sizeof error) < 0)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error);
	if (!*settings.subnet)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s:1: the key `subnet` is missing", path);
	*ret_settings = settings;
	return 0;
}

int network_settings_save(struct lb_context *ctx, const struct network_settings *settings)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };
	CLEANUP_FREE char *path = store_path(ctx, STORE_NETWORK "/%s/" NETWORK_SETTINGS_FILE, settings->name);
	CLEANUP_FREE char *text = NULL;
	int r;

	buffer_add_text(&buffer, "# A network of layerbox. Change it with `layerbox net set`.\n");
	for (size_t i = 0; i < KEY_COUNT; i++) {
		CLEANUP_FREE char *value = keys[i].get(settings);

		if (!value)
			return fail_memory(ctx);
		if (*value && (settings->has_subnet || keys[i].set != set_subnet))
			buffer_format(&buffer, "%s = %s\n", keys[i].name, value);
	}
	text = buffer_finish(&buffer);
	if (!path || !text)
		return fail_memory(ctx);
	r = file_write(AT_FDCWD, path, text, strlen(text), 0644, FILE_DURABLE);
	return r < 0 ? fail_errno(ctx, r, "cannot write %s", path) : 0;
}

/*
 * Was the network made by `net create`? A directory without the file, or with one that says no subnet, is that of a
 * default network which layerbox.conf no longer names. What cannot be read is to be told by who loads it.
 */
static bool is_created(int networks_fd, const char *name)
{
	CLEANUP_FREE char *text = NULL;
	struct network_settings settings = { 0 };
	char file[NETWORK_NAME_SIZE + sizeof "/" NETWORK_SETTINGS_FILE], error[512];
	int r;

	snprintf(file, sizeof file, "%.15s/" NETWORK_SETTINGS_FILE, name);
	r = file_read(networks_fd, file, SETTINGS_BYTES_MAX, &text, NULL);
	if (r == 0 && keyfile_parse(text, file, on_key, &settings, error, sizeof error) == 0)
		return settings.has_subnet;
	return r != -ENOENT && r != -ENOTDIR;
}

int network_settings_list(struct lb_context *ctx, struct text_list *ret_names)
{
	CLEANUP_TEXT_LIST struct text_list created = { 0 };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = 0, fd = store_open_directory(ctx, STORE_NETWORK);
	CLEANUP_DIR DIR *dir = take_dir(fd);
	struct dirent *entry;

	if (!dir)
		return fd < 0 ? fd : fail_memory(ctx);
	while (r == 0 && (entry = readdir(dir)))
		if (*entry->d_name != '.' && strlen(entry->d_name) < NETWORK_NAME_SIZE &&
		    !text_equal(entry->d_name, ctx->config.bridge) && is_created(fd, entry->d_name))
			r = text_list_add(&created, entry->d_name);
	text_list_sort(&created);
	if (r == 0)
		r = text_list_add(&names, ctx->config.bridge);
	for (size_t i = 0; r == 0 && i < created.count; i++)
		r = text_list_add(&names, created.items[i]);
	if (r < 0)
		return fail_memory(ctx);
	*ret_names = names;
	names = (struct text_list){ 0 };
	return 0;
}
