/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/adapters/lxc-net.h"

static int parse(const char *text, struct lxc_net_settings *settings, char *error, size_t error_size)
{
	char *copy = strdup(text);
	int r;

	assert_non_null(copy);
	lxc_net_set_defaults(settings);
	*error = '\0';
	r = lxc_net_parse(settings, copy, "lxc-net", error, error_size);
	free(copy);
	return r;
}

static void test_defaults(void **state)
{
	struct lxc_net_settings settings;
	char error[256];

	(void)state;
	assert_int_equal(parse("", &settings, error, sizeof error), 0);
	assert_true(settings.use_bridge);
	assert_true(settings.dhcp_ping);
	assert_string_equal(settings.bridge, "lxcbr0");
	assert_string_equal(settings.address, "10.0.3.1");
	assert_string_equal(settings.netmask, "255.255.255.0");
	assert_string_equal(settings.range_first, "10.0.3.2");
	assert_string_equal(settings.range_last, "10.0.3.254");
	assert_string_equal(settings.dhcp_conf_file, "");
	assert_string_equal(settings.domain, "");
}

static void test_assignments(void **state)
{
	struct lxc_net_settings settings;
	char error[256];

	(void)state;
	assert_int_equal(
		parse("# remark\n\nUSE_LXC_BRIDGE=\"false\"\n  LXC_BRIDGE='br7' # remark\n"
		      "export LXC_ADDR=10.9.0.1\nLXC_NETMASK=255.255.\"0.0\"; true\n"
		      "LXC_DHCP_RANGE=\"10.9.1.1,10.9.1.99\"\n#LXC_DOMAIN=no\nLXC_DHCP_CONFILE=/etc/lxc/my\\ dns.conf\n"
		      "LXC_DHCP_PING=false\nLXC_DHCP_MAX=99\nUNKNOWN=$(rm -rf /)\n"
		      "[ ! -f /etc/default/lxc-net ] || . /etc/default/lxc-net\nLXC_DOMAIN='a$b'\n"
		      "LXC_DOMAIN=last",
		      &settings, error, sizeof error),
		0);
	assert_false(settings.use_bridge);
	assert_false(settings.dhcp_ping);
	assert_string_equal(settings.bridge, "br7");
	assert_string_equal(settings.address, "10.9.0.1");
	assert_string_equal(settings.netmask, "255.255.0.0");
	assert_string_equal(settings.range_first, "10.9.1.1");
	assert_string_equal(settings.range_last, "10.9.1.99");
	assert_string_equal(settings.dhcp_conf_file, "/etc/lxc/my dns.conf");
	assert_string_equal(settings.dhcp_max, "99");
	assert_string_equal(settings.domain, "last");
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "LXC_ADDR=\"10.0.$N.1\"\n", "lxc-net:1: LXC_ADDR is made by the shell" },
		{ "\n\nLXC_BRIDGE=`hostname`\n", "lxc-net:3: LXC_BRIDGE is made by the shell" },
		{ "LXC_DOMAIN=\"lxc\n", "lxc-net:1: LXC_DOMAIN has a quote that is not closed" },
		{ "LXC_BRIDGE=a-name-that-is-too-long-for-an-interface\n", "lxc-net:1: LXC_BRIDGE is too long" },
		{ "LXC_DHCP_RANGE=10.0.3.2\n", "lxc-net:1: LXC_DHCP_RANGE is not FIRST,LAST" },
		{ "LXC_DHCP_RANGE=10.0.3.2222222222222,10.0.3.9\n", "lxc-net:1: LXC_DHCP_RANGE is not FIRST,LAST" },
	};
	struct lxc_net_settings settings;
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse(cases[i].text, &settings, error, sizeof error), -EINVAL);
		assert_contains(error, cases[i].error);
	}
}

/* Lines are only ever added, once, to what the host's administrator has written. */
static void test_adds_line(void **state)
{
	struct lxc_net_settings settings;
	struct lb_context *ctx;
	char text[256] = { 0 };
	struct stat st;
	FILE *file;

	(void)state;
	assert_int_equal(lb_context_new(NULL, &ctx), 0);
	lxc_net_set_defaults(&settings);
	put_file("real.conf", "dhcp-host=00:16:3e:00:00:02,10.0.3.9\n#dhcp-hostsdir=/x\ndhcp-hostsdir=/x/y");
	assert_int_equal(chmod("real.conf", 0640), 0);
	assert_int_equal(symlink("real.conf", "dnsmasq.conf"), 0);
	assert_true(text_copy(settings.dhcp_conf_file, sizeof settings.dhcp_conf_file, "dnsmasq.conf"));
	assert_int_equal(lxc_net_add_conf_line(ctx, &settings, "why", "dhcp-hostsdir=/x"), 0);
	assert_int_equal(lxc_net_add_conf_line(ctx, &settings, "why", "dhcp-hostsdir=/x"), 1);
	assert_int_equal(lstat("dnsmasq.conf", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("real.conf", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	file = fopen("real.conf", "re");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	assert_string_equal(text, "dhcp-host=00:16:3e:00:00:02,10.0.3.9\n#dhcp-hostsdir=/x\ndhcp-hostsdir=/x/y\n"
				  "# why\ndhcp-hostsdir=/x\n");
	lb_context_free(ctx);
}

static void test_arguments(void **state)
{
	CLEANUP_TEXT_LIST struct text_list arguments = { 0 };
	struct lxc_net_settings settings;
	struct lb_context *ctx;
	char error[256];

	(void)state;
	assert_int_equal(lb_context_new(NULL, &ctx), 0);
	assert_int_equal(parse("LXC_DOMAIN=dom\nLXC_DHCP_CONFILE=/c\nLXC_DHCP_PING=false\nLXC_BRIDGE=br7\n", &settings,
			       error, sizeof error),
			 0);
	assert_int_equal(lxc_net_dnsmasq_arguments(ctx, &settings, "nobody", &arguments), 0);
	assert_string_equal(arguments.items[0], "dnsmasq");
	assert_true(text_list_has(&arguments, "--conf-file=/c"));
	assert_true(text_list_has(&arguments, "--domain=dom"));
	assert_true(text_list_has(&arguments, "--local=/dom/"));
	assert_true(text_list_has(&arguments, "--no-ping"));
	assert_true(text_list_has(&arguments, "--interface=br7"));
	assert_true(text_list_has(&arguments, "--dhcp-leasefile=/var/lib/misc/dnsmasq.br7.leases"));
	lb_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),  cmocka_unit_test(test_assignments), cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_adds_line), cmocka_unit_test(test_arguments),
	};

	return cmocka_run_group_tests_name("lxc-net", tests, scratch_enter, scratch_leave);
}
