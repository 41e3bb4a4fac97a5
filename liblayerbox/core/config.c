/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <fcntl.h>

#include "../util/file.h"
#include "../util/keyfile.h"
#include "keep.h"
#include "mail.h"
#include "name.h"
#include "schedule.h"
#include "subnet.h"

enum { CONFIG_BYTES_MAX = 1 << 20, QUARANTINE_SECONDS_MAX = 365 * 24 * 60 * 60 };

static const char *set_root(struct config *config, const char *value)
{
	if (*value != '/')
		return "must be an absolute path";
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p <= ' ' || strchr("\"'\\$`:,\177", *p))
			return "must not contain spaces, quotes, colons, commas or control characters";
	return keyfile_take(&config->root, value);
}

static const char *set_base(struct config *config, const char *value)
{
	return name_is_valid(value) ? keyfile_take(&config->base, value) : "must be the name of a base";
}

static const char *set_bridge(struct config *config, const char *value)
{
	return name_is_bridge(value) ? keyfile_take(&config->bridge, value)
				     : "must be an interface name: up to 15 lower-case letters, digits, dashes";
}

static const char *set_subnet(struct config *config, const char *value)
{
	struct subnet subnet;
	const char *why = subnet_parse(value, &subnet);

	return why ? why : keyfile_take(&config->subnet, value);
}

static const char *set_domain(struct config *config, const char *value)
{
	return name_is_valid(value) ? keyfile_take(&config->domain, value) : "must be one DNS label, such as lxc";
}

static const char *set_mirror(struct config *config, const char *value)
{
	return keyfile_take(&config->mirror, value);
}

static const char *set_id_start(struct config *config, const char *value)
{
	uint64_t number;

	if (!text_to_number(value, 65536, UINT32_MAX - 65536, &number))
		return "must be a number from 65536 up";
	config->id_start = (uint32_t)number;
	return NULL;
}

static const char *set_host_names(struct config *config, const char *value)
{
	static const char *const ways[] = { "none", "hosts", "resolved" };

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (!text_equal(value, ways[i]))
			continue;
		config->host_names = (enum host_names)i;
		return NULL;
	}
	return "must be none, hosts or resolved";
}

static const char *set_quarantine(struct config *config, const char *value)
{
	uint64_t seconds;

	if (!text_to_seconds(value, QUARANTINE_SECONDS_MAX, &seconds))
		return "must be a time such as 90s, 10m, 12h or 7d, at most 365d; 0 means none";
	config->quarantine_seconds = (uint32_t)seconds;
	return NULL;
}

/* Nothing is written `none`, so that it can be seen that it is meant. */
static bool is_none(const char *value)
{
	return !*value || text_equal(value, "none");
}

static const char *take_policy(char **member, const char *value)
{
	struct keep_policy policy;
	const char *why = keep_parse(value, &policy);

	return why ? why : keyfile_take(member, is_none(value) ? "" : value);
}

static const char *set_snapshot_schedule(struct config *config, const char *value)
{
	struct schedule schedule;
	const char *why = is_none(value) ? NULL : schedule_parse(value, &schedule);

	return why ? why : keyfile_take(&config->snapshot_schedule, is_none(value) ? "" : value);
}

static const char *set_snapshot_keep(struct config *config, const char *value)
{
	return take_policy(&config->snapshot_keep, value);
}

static const char *set_backup_repository(struct config *config, const char *value)
{
	return keyfile_take(&config->backup_repository, value);
}

/* The path of a file, or nothing. */
static const char *take_path(char **member, const char *value)
{
	return *value && *value != '/' ? "must be an absolute path" : keyfile_take(member, value);
}

static const char *set_backup_password_file(struct config *config, const char *value)
{
	return take_path(&config->backup_password_file, value);
}

static const char *set_backup_environment_file(struct config *config, const char *value)
{
	return take_path(&config->backup_environment_file, value);
}

static const char *set_backup_keep(struct config *config, const char *value)
{
	return take_policy(&config->backup_keep, value);
}

static const char *set_ssh(struct config *config, const char *value)
{
	return *value ? keyfile_take(&config->ssh, value) : "must be a program, with options where it needs some";
}

/* A program and its arguments, with spaces between them. */
static const char *set_alert_command(struct config *config, const char *value)
{
	return take_path(&config->alert_command, value);
}

static const char *set_alert_mail(struct config *config, const char *value)
{
	const char *why = *value ? mail_check(value) : NULL;

	return why ? why : keyfile_take(&config->alert_mail, value);
}

static const char *set_alert_disk(struct config *config, const char *value)
{
	uint64_t percent;

	if (!text_to_number(value, 1, 100, &percent))
		return "must be a percentage from 1 to 100";
	config->alert_disk_percent = (unsigned)percent;
	return NULL;
}

static const char *set_restart_policy(struct config *config, const char *value)
{
	static const char *const policies[] = { "no", "on-failure", "always" };

	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
		if (text_equal(value, policies[i]))
			return keyfile_take(&config->restart_policy, value);
	return "must be no, on-failure or always";
}

static const struct setting {
	const char *key;
	const char *(*set)(struct config *config, const char *value);
	const char *initial;
} settings[] = {
	{ "root", set_root, "/var/lib/layerbox" },
	{ "base", set_base, "debian-bookworm" },
	{ "bridge", set_bridge, "lxcbr0" },
	{ "subnet", set_subnet, "10.0.3.0/24" },
	{ "domain", set_domain, "lxc" },
	{ "mirror", set_mirror, "" },
	{ "id_start", set_id_start, "100000" },
	{ "host_names", set_host_names, "none" },
	{ "quarantine", set_quarantine, "10m" },
	{ "ssh", set_ssh, "ssh" },
	{ "snapshot.schedule", set_snapshot_schedule, "" },
	{ "snapshot.keep", set_snapshot_keep, "" },
	{ "backup.repository", set_backup_repository, "" },
	{ "backup.password_file", set_backup_password_file, "" },
	{ "backup.environment_file", set_backup_environment_file, "" },
	{ "backup.keep", set_backup_keep, "" },
	{ "alert.command", set_alert_command, "" },
	{ "alert.mail", set_alert_mail, "" },
	{ "alert.disk", set_alert_disk, "90" },
	{ "restart.policy", set_restart_policy, "no" },
	{ 0 },
};

static const char *on_setting(const char *key, const char *value, void *userdata)
{
	for (const struct setting *setting = settings; setting->key; setting++)
		if (text_equal(setting->key, key))
			return setting->set(userdata, value);
	return "is not a setting; layerbox.conf(5) lists them";
}

int config_load(struct lb_context *ctx, const char *file, const char *root)
{
	CLEANUP_FREE char *text = NULL;
	char error[512];
	const char *why;
	size_t length = 0;
	int r;

	for (const struct setting *setting = settings; setting->key; setting++)
		if (setting->set(&ctx->config, setting->initial))
			return fail_memory(ctx);
	ctx->config_file = strdup(file ? file : SYSCONFDIR "/layerbox/layerbox.conf");
	if (!ctx->config_file)
		return fail_memory(ctx);
	r = file_read(AT_FDCWD, ctx->config_file, CONFIG_BYTES_MAX, &text, &length);
	if (r < 0 && (r != -ENOENT || file))
		return fail_errno(ctx, r, "cannot read the configuration file %s", ctx->config_file);
	if (r == 0 && strlen(text) != length)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s: is not a text file: there is a zero byte in it",
			    ctx->config_file);
	if (r == 0 && keyfile_parse(text, ctx->config_file, on_setting, &ctx->config, error, sizeof error) < 0)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error);
	why = root ? set_root(&ctx->config, root) : NULL;
	if (why)
		return fail(ctx, -LB_ERR_BAD_VALUE, "the root \"%s\" %s", root, why);
	for (size_t n = strlen(ctx->config.root); n > 1 && ctx->config.root[n - 1] == '/'; n--)
		ctx->config.root[n - 1] = '\0';
	return 0;
}

/* The members that are texts of their own. */
static const size_t texts[] = {
	offsetof(struct config, root),
	offsetof(struct config, base),
	offsetof(struct config, bridge),
	offsetof(struct config, subnet),
	offsetof(struct config, domain),
	offsetof(struct config, mirror),
	offsetof(struct config, ssh),
	offsetof(struct config, snapshot_schedule),
	offsetof(struct config, snapshot_keep),
	offsetof(struct config, backup_repository),
	offsetof(struct config, backup_password_file),
	offsetof(struct config, backup_environment_file),
	offsetof(struct config, backup_keep),
	offsetof(struct config, alert_command),
	offsetof(struct config, alert_mail),
	offsetof(struct config, restart_policy),
};

static char **text_at(const struct config *config, size_t i)
{
	return (char **)((uintptr_t)config + texts[i]);
}

int config_copy(const struct config *config, struct config *ret_config)
{
	struct config copy = *config;
	bool failed = false;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*text_at(&copy, i) = strdup(*text_at(config, i));
		failed = failed || !*text_at(&copy, i);
	}
	if (failed) {
		config_free(&copy);
		return -ENOMEM;
	}
	*ret_config = copy;
	return 0;
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(*text_at(config, i));
	*config = (struct config){ 0 };
}
