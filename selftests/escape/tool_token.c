// SPDX-License-Identifier: GPL-2.0
/* tool_token FD TEXT: writes the text and a newline to the descriptor. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char line[64] = "";

	if (argc != 3 || strlen(argv[2]) > sizeof(line) - 2)
		return 2;
	strcpy(line, argv[2]);
	strcat(line, "\n");
	return write(atoi(argv[1]), line, strlen(line)) == (ssize_t)strlen(line) ? 0 : 1;
}
