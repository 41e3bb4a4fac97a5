/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lxc-net.h"

#include <ctype.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

#include "../util/file.h"
#include "../util/spawn.h"

#define COMMON_SETTINGS_FILE "/etc/default/lxc"
#define MARKER "/run/lxc/network_up"
#define OWN_CONF_FILE "/etc/lxc/dnsmasq.conf"

enum { SETTINGS_BYTES_MAX = 1 << 20 };

#define MEMBER(name) offsetof(struct lxc_net_settings, name), sizeof(((struct lxc_net_settings *)0)->name)

/* The settings that are text; LXC_DHCP_RANGE, which is two, and the yes-or-no ones are taken apart below. */
static const struct setting {
	const char *key;
	size_t offset, size;
	const char *initial;
} settings_of_text[] = {
	{ "LXC_BRIDGE", MEMBER(bridge), "lxcbr0" },
	{ "LXC_BRIDGE_MAC", MEMBER(bridge_mac), "00:16:3e:00:00:00" },
	{ "LXC_ADDR", MEMBER(address), "10.0.3.1" },
	{ "LXC_NETMASK", MEMBER(netmask), "255.255.255.0" },
	{ "LXC_DHCP_MAX", MEMBER(dhcp_max), "253" },
	{ "LXC_DHCP_CONFILE", MEMBER(dhcp_conf_file), "" },
	{ "LXC_DOMAIN", MEMBER(domain), "" },
	{ "LXC_IPV6_ADDR", MEMBER(ipv6_address), "" },
	{ "LXC_IPV6_MASK", MEMBER(ipv6_mask), "" },
	{ "LXC_IPV6_NETWORK", MEMBER(ipv6_network), "" },
	{ 0 },
};

void lxc_net_set_defaults(struct lxc_net_settings *settings)
{
	*settings = (struct lxc_net_settings){ .use_bridge = true, .dhcp_ping = true };
	for (const struct setting *setting = settings_of_text; setting->key; setting++)
		text_copy((char *)settings + setting->offset, setting->size, setting->initial);
	text_copy(settings->range_first, sizeof settings->range_first, "10.0.3.2");
	text_copy(settings->range_last, sizeof settings->range_last, "10.0.3.254");
}

static const char *take_range(struct lxc_net_settings *settings, char *value)
{
	char *comma = strchr(value, ',');

	if (!comma)
		return "is not FIRST,LAST";
	*comma++ = '\0';
	comma[strcspn(comma, ",")] = '\0'; /* a netmask or lease time may follow */
	if (!text_copy(settings->range_first, sizeof settings->range_first, value) ||
	    !text_copy(settings->range_last, sizeof settings->range_last, comma))
		return "is not FIRST,LAST";
	return NULL;
}

/* Takes @value over where @key is one of ours; NULL, or what is wrong with it. */
static const char *take_setting(struct lxc_net_settings *settings, const char *key, char *value)
{
	if (text_equal(key, "USE_LXC_BRIDGE"))
		settings->use_bridge = text_equal(value, "true");
	if (text_equal(key, "LXC_DHCP_PING"))
		settings->dhcp_ping = !text_equal(value, "false");
	if (text_equal(key, "LXC_DHCP_RANGE"))
		return take_range(settings, value);
	for (const struct setting *setting = settings_of_text; setting->key; setting++)
		if (text_equal(key, setting->key))
			return text_copy((char *)settings + setting->offset, setting->size, value) ? NULL
												   : "is too long";
	return NULL;
}

static bool is_setting(const char *key)
{
	static const char *const others[] = { "USE_LXC_BRIDGE", "LXC_DHCP_PING", "LXC_DHCP_RANGE", NULL };

	for (const char *const *other = others; *other; other++)
		if (text_equal(key, *other))
			return true;
	for (const struct setting *setting = settings_of_text; setting->key; setting++)
		if (text_equal(key, setting->key))
			return true;
	return false;
}

/*
 * Takes the quotes off one word of shell, in place, up to white space, `;` or the end. NULL, or why it
 * cannot be known without a shell.
 */
static const char *unquote(char *word)
{
	char *write = word, quote = '\0';

	for (const char *read = word; *read; read++) {
		if (quote ? *read == quote : *read == '"' || *read == '\'') {
			quote = quote ? '\0' : *read;
			continue;
		}
		if (!quote && (isspace((unsigned char)*read) || *read == ';'))
			break;
		if (quote != '\'' && (*read == '$' || *read == '`'))
			return "is made by the shell; write the value itself";
		if (quote != '\'' && *read == '\\' && read[1])
			read++;
		*write++ = *read;
	}
	*write = '\0';
	return quote ? "has a quote that is not closed" : NULL;
}

/* One line: NULL, or what is wrong with it; *ret_key is the setting it is about. */
static const char *take_line(struct lxc_net_settings *settings, char *line, const char **ret_key)
{
	const char *exported, *why;
	char *key = text_trim(line), *value;

	exported = text_after(key, "export ");
	if (exported)
		key += exported - key;
	value = strchr(key, '=');
	if (*key == '#' || !value)
		return NULL;
	*value++ = '\0';
	*ret_key = key;
	if (!is_setting(key))
		return NULL;
	why = unquote(value);
	return why ? why : take_setting(settings, key, value);
}

int lxc_net_parse(struct lxc_net_settings *settings, char *text, const char *file, char *error, size_t error_size)
{
	unsigned line_number = 0;

	while (*text) {
		char *line = text, *end = strchrnul(text, '\n');
		const char *why, *key = "";

		text = *end ? end + 1 : end;
		*end = '\0';
		line_number++;
		why = take_line(settings, line, &key);
		if (why) {
			snprintf(error, error_size, "%s:%u: %s %s", file, line_number, key, why);
			return -EINVAL;
		}
	}
	return 0;
}

static int load_file(struct lb_context *ctx, const char *file, struct lxc_net_settings *settings)
{
	CLEANUP_FREE char *real = realpath(file, NULL);
	CLEANUP_FREE char *text = NULL;
	char error[512];
	int r = file_read(AT_FDCWD, real ? real : file, SETTINGS_BYTES_MAX, &text, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s", file);
	if (lxc_net_parse(settings, text, file, error, sizeof error) < 0)
		return fail(ctx, -LB_ERR_BAD_CONFIG, "%s", error);
	return 0;
}

int lxc_net_load(struct lb_context *ctx, struct lxc_net_settings *ret_settings)
{
	struct lxc_net_settings settings;
	int r;

	lxc_net_set_defaults(&settings);
	r = load_file(ctx, COMMON_SETTINGS_FILE, &settings); /* the script reads this one, which reads the other */
	if (r == 0)
		r = load_file(ctx, LXC_NET_SETTINGS_FILE, &settings);
	if (r < 0)
		return r;
	if (text_equal(settings.dhcp_conf_file, "/dev/null"))
		*settings.dhcp_conf_file = '\0';
	*ret_settings = settings;
	return 0;
}

bool lxc_net_is_up(void)
{
	return access(MARKER, F_OK) == 0;
}

bool lxc_net_is_startable(void)
{
	char target[16] = { 0 };

	if (access("/run/systemd/system", F_OK) < 0)
		return false;
	(void)!readlink("/etc/systemd/system/lxc-net.service", target, sizeof target - 1);
	if (text_equal(target, "/dev/null"))
		return false; /* masked */
	return access("/lib/systemd/system/lxc-net.service", F_OK) == 0 ||
	       access("/usr/lib/systemd/system/lxc-net.service", F_OK) == 0;
}

int lxc_net_start(struct lb_context *ctx)
{
	/* Where it believes to be up though its bridge is gone, only a restart makes it try. */
	const char *const argv[] = { "systemctl", lxc_net_is_up() ? "restart" : "start", "lxc-net.service", NULL };
	const struct spawn_options options = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r = spawn_run(argv, &options, &status, &output);

	if (r < 0)
		return fail_errno(ctx, r, "cannot run systemctl to start lxc-net");
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED,
			    "lxc-net could not be started; see `journalctl -u lxc-net`: %s",
			    text_printable(text_trim(output)));
	log_message(ctx, LB_LOG_INFO, "started lxc-net, which makes the bridge on this host");
	return 0;
}

int lxc_net_dnsmasq_arguments(struct lb_context *ctx, const struct lxc_net_settings *settings, const char *user,
			      struct text_list *ret_arguments)
{
	const struct lxc_net_settings *s = settings;
	struct text_list list = { 0 };
	const char *conf_file = text_empty(s->dhcp_conf_file) ? "/dev/null" : s->dhcp_conf_file;
	int r = text_list_add(&list, "dnsmasq");

	r |= text_list_format(&list, "--conf-file=%s", conf_file);
	if (!text_empty(s->domain)) {
		r |= text_list_format(&list, "--domain=%s", s->domain);
		r |= text_list_format(&list, "--local=/%s/", s->domain);
	}
	if (!s->dhcp_ping)
		r |= text_list_add(&list, "--no-ping");
	r |= text_list_format(&list, "--user=%s", user);
	r |= text_list_add(&list, "--strict-order");
	r |= text_list_add(&list, "--bind-interfaces");
	r |= text_list_add(&list, "--pid-file=" LXC_NET_PID_FILE);
	r |= text_list_format(&list, "--listen-address=%s", s->address);
	r |= text_list_format(&list, "--dhcp-range=%s,%s", s->range_first, s->range_last);
	r |= text_list_format(&list, "--dhcp-lease-max=%s", s->dhcp_max);
	r |= text_list_add(&list, "--dhcp-no-override");
	r |= text_list_add(&list, "--except-interface=lo");
	r |= text_list_format(&list, "--interface=%s", s->bridge);
	r |= text_list_format(&list, "--dhcp-leasefile=" LXC_NET_LEASE_FILE, s->bridge);
	r |= text_list_add(&list, "--dhcp-authoritative");
	if (!text_empty(s->ipv6_address) && !text_empty(s->ipv6_mask) && !text_empty(s->ipv6_network)) {
		r |= text_list_format(&list, "--dhcp-range=%s,ra-only", s->ipv6_address);
		r |= text_list_format(&list, "--listen-address=%s", s->ipv6_address);
	}
	if (r != 0) {
		text_list_free(&list);
		return fail_memory(ctx);
	}
	*ret_arguments = list;
	return 0;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += n)
		if ((at == text || at[-1] == '\n') && (at[n] == '\0' || at[n] == '\n'))
			return true;
	return false;
}

/* Appends lines to a file that may be missing: a new file in its place, with its mode and owner. */
static int append_lines(struct lb_context *ctx, const char *file, const char *remark, const char *line)
{
	CLEANUP_FREE char *real = realpath(file, NULL);
	CLEANUP_FREE char *text = NULL;
	CLEANUP_BUFFER struct buffer out = { 0 };
	const char *path = real ? real : file;
	struct stat st = { .st_mode = 0644 };
	int r = file_read(AT_FDCWD, path, SETTINGS_BYTES_MAX, &text, NULL);

	if (r < 0 && r != -ENOENT)
		return fail_errno(ctx, r, "cannot read %s", file);
	if (text && has_line(text, line))
		return 1;
	if (text && stat(path, &st) < 0)
		return fail_errno(ctx, errno, "cannot read %s", file);
	buffer_add_text(&out, text ? text : "");
	if (out.length && out.data[out.length - 1] != '\n')
		buffer_add_text(&out, "\n");
	buffer_format(&out, "# %s\n%s\n", remark, line);
	if (out.failed)
		return fail_memory(ctx);
	r = file_write(AT_FDCWD, path, out.data, out.length, st.st_mode & 07777, FILE_DURABLE);
	if (r < 0)
		return fail_errno(ctx, r, "cannot add \"%s\" to %s", line, file);
	if (text && chown(path, st.st_uid, st.st_gid) < 0)
		return fail_errno(ctx, errno, "cannot give %s back to its owner", file);
	log_message(ctx, LB_LOG_INFO, "added \"%s\" to %s", line, file);
	return 0;
}

int lxc_net_add_conf_line(struct lb_context *ctx, struct lxc_net_settings *settings, const char *remark,
			  const char *line)
{
	bool was_set = !text_empty(settings->dhcp_conf_file);
	const char *file = was_set ? settings->dhcp_conf_file : OWN_CONF_FILE;
	int r, added;

	if (!was_set && mkdir("/etc/lxc", 0755) < 0 && errno != EEXIST)
		return fail_errno(ctx, errno, "cannot make /etc/lxc");
	added = append_lines(ctx, file, remark, line);
	if (added < 0 || was_set)
		return added;
	/* Named only now that it is there: lxc-net fails on a file that is not. */
	r = append_lines(ctx, LXC_NET_SETTINGS_FILE,
			 "For layerbox, whose reservations dnsmasq finds through this file.",
			 "LXC_DHCP_CONFILE=\"" OWN_CONF_FILE "\"");
	if (r < 0)
		return r;
	text_copy(settings->dhcp_conf_file, sizeof settings->dhcp_conf_file, OWN_CONF_FILE);
	return 0;
}
