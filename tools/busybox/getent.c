/*
 * `getent hosts NAME...` as Alpine's image has it: asked of musl's resolver, IPv6 first, 2 for a
 * name that there is not. Alpine's own (musl-utils) knows other databases as well; nothing of
 * tailwart asks for them.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int lookup(const char *name)
{
	char text[INET6_ADDRSTRLEN];
	struct hostent *found = gethostbyname2(name, AF_INET6);

	if (!found)
		found = gethostbyname2(name, AF_INET);
	if (!found)
		return 2;
	inet_ntop(found->h_addrtype, found->h_addr_list[0], text, sizeof text);
	printf("%-16s  %s", text, found->h_name);
	for (char **alias = found->h_aliases; *alias; alias++)
		printf("%s%s", alias == found->h_aliases ? "  " : " ", *alias);
	putchar('\n');
	return 0;
}

int main(int count, char **words)
{
	if (count < 3 || strcmp(words[1], "hosts") != 0) {
		fputs("Usage: getent hosts NAME...\n", stderr);
		return 1;
	}
	for (int i = 2; i < count; i++) {
		int status = lookup(words[i]);
		if (status)
			return status;
	}
	return 0;
}
