/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "restic.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../util/file.h"
#include "../util/keyfile.h"
#include "../util/spawn.h"

enum { ENVIRONMENT_BYTES_MAX = 1 << 16 };

/* ---- what it is run with ---- */

static bool env_has(const struct text_list *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, n) == 0 && env->items[i][n] == '=')
			return true;
	return false;
}

static bool is_variable(const char *name)
{
	if (*name >= '0' && *name <= '9')
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* As shells and systemd read such files, a value may stand in quotes. */
static const char *on_variable(const char *name, const char *value, void *userdata)
{
	size_t n = strlen(value);
	bool quoted = n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value;

	if (!is_variable(name))
		return "is not the name of a variable";
	if (text_list_format(userdata, "%s=%.*s", name, (int)(quoted ? n - 2 : n), quoted ? value + 1 : value) < 0)
		return "could not be kept: out of memory";
	return NULL;
}

/* Opens a file with a secret, which must be root's and not for others to read. */
static int open_secret(struct lb_context *ctx, const char *key, const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "cannot open %s, which %s of %s names: %s", path, key, ctx->config_file,
			    strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s, which %s of %s names, is not a file", path, key, ctx->config_file);
	if (st.st_uid != 0 || (st.st_mode & (S_IRWXO | S_IWGRP)))
		return fail(ctx, -LB_ERR_BAD_CONFIG,
			    "%s holds secrets, and others than root can read or change it: `chown root %s && chmod 600 %s`", path,
			    path, path);
	return take_fd(&fd);
}

static int check_password_file(struct lb_context *ctx)
{
	CLEANUP_FD int fd = -1;

	if (!*ctx->config.backup_password_file)
		return 0;
	fd = open_secret(ctx, "backup.password_file", ctx->config.backup_password_file);
	return fd < 0 ? fd : 0;
}

static int read_environment_file(struct lb_context *ctx, struct text_list *env)
{
	const char *path = ctx->config.backup_environment_file;
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FD int fd = -1;
	char error[512];
	size_t length = 0;
	int r;

	if (!*path)
		return 0;
	fd = open_secret(ctx, "backup.environment_file", path);
	if (fd < 0)
		return fd;
	r = fd_read_all(fd, ENVIRONMENT_BYTES_MAX, &text, &length);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s", path);
	if (strlen(text) != length)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s: is not a text file: there is a zero byte in it", path);
	if (keyfile_parse(text, path, on_variable, env, error, sizeof error) < 0)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error);
	return 0;
}

/* What layerbox.conf says comes first, and wins. HOME is where ssh looks for keys; times are printed in UTC. */
static int make_environment(struct lb_context *ctx, struct text_list *env)
{
	const struct config *config = &ctx->config;
	const char *path = getenv("PATH"), *home = getenv("HOME");
	int r = text_list_format(env, "RESTIC_REPOSITORY=%s", config->backup_repository);

	if (r == 0 && *config->backup_password_file)
		r = text_list_format(env, "RESTIC_PASSWORD_FILE=%s", config->backup_password_file);
	if (r == 0)
		r = text_list_add(env, "TZ=UTC");
	if (r < 0)
		return fail_memory(ctx);
	r = read_environment_file(ctx, env);
	if (r < 0)
		return r;
	if (!env_has(env, "RESTIC_CACHE_DIR"))
		r = text_list_add(env, "RESTIC_CACHE_DIR=" LOCALSTATEDIR "/cache/layerbox/restic");
	if (r == 0 && !env_has(env, "PATH"))
		r = text_list_format(env, "PATH=%s",
				     text_empty(path) ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : path);
	if (r == 0 && !env_has(env, "HOME"))
		r = text_list_format(env, "HOME=%s", text_empty(home) ? "/root" : home);
	return r < 0 ? fail_memory(ctx) : 0;
}

/* Asked for a password, it would read it from the stream that is to be kept. */
static bool has_password(const struct text_list *env)
{
	return env_has(env, "RESTIC_PASSWORD_FILE") || env_has(env, "RESTIC_PASSWORD") || env_has(env, "RESTIC_PASSWORD_COMMAND");
}

int restic_open(struct lb_context *ctx, struct restic *ret_restic)
{
	CLEANUP_RESTIC struct restic restic = { 0 };
	CLEANUP_FREE char *path = NULL;
	int r;

	if (!*ctx->config.backup_repository)
		return fail(ctx, -LB_ERR_NO_REPOSITORY,
			    "no repository for backups is set; name one in %s, as backup.repository = sftp:user@host:/directory",
			    ctx->config_file);
	if (!spawn_find("restic", &path))
		return restic_not_run(ctx, -ENOENT);
	r = check_password_file(ctx);
	if (r == 0)
		r = make_environment(ctx, &restic.env);
	if (r < 0)
		return r;
	if (!has_password(&restic.env))
		return fail(ctx, -LB_ERR_NO_REPOSITORY,
			    "the repository for backups needs a password; name a file that has it in %s, as backup.password_file",
			    ctx->config_file);
	*ret_restic = restic;
	restic = (struct restic){ 0 };
	return 0;
}

void restic_close(struct restic *restic)
{
	text_list_free(&restic->env);
}

/* ---- running it ---- */

int restic_not_run(struct lb_context *ctx, int error)
{
	if (error == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM, "restic, which keeps the backups, is not installed: `apt install restic`");
	return fail_errno(ctx, error, "cannot run restic");
}

int restic_arguments(const char *const *arguments, struct text_list *ret_words)
{
	int r = text_list_add(ret_words, "restic");

	for (; r == 0 && *arguments; arguments++)
		r = text_list_add(ret_words, *arguments);
	return r;
}

int restic_run(struct lb_context *ctx, const struct restic *restic, const char *const *arguments,
	       void (*on_line)(const char *line, void *userdata), void *userdata)
{
	const struct spawn_options options = { .env = (const char *const *)restic->env.items,
					       .on_line = on_line,
					       .userdata = userdata };
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r;

	if (restic_arguments(arguments, &words) < 0)
		return fail_memory(ctx);
	r = spawn_run((const char *const *)words.items, &options, &status, &output);
	if (r < 0)
		return restic_not_run(ctx, r);
	return status == 0 ? 0 : restic_failed(ctx, status, output);
}
