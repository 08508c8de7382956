@echo off
rem Makes a tenant and its owner. See --help. The same as create-owner.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
call "%~dp0lib-operator.bat" :defaults
set "BIZOSAAS_OWNER_EMAIL="
set "BIZOSAAS_OWNER_NAME="
set "BIZOSAAS_OWNER_TENANT="
set "PASSWORD_FILE="

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
set "TAKE="
if "%~1"=="--email" set "TAKE=BIZOSAAS_OWNER_EMAIL"
if "%~1"=="--name" set "TAKE=BIZOSAAS_OWNER_NAME"
if "%~1"=="--tenant-name" set "TAKE=BIZOSAAS_OWNER_TENANT"
if "%~1"=="--password-file" set "TAKE=PASSWORD_FILE"
if not "%TAKE%"=="" goto take
call "%~dp0lib-operator.bat" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "%TAKE%=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\create-owner.bat --email EMAIL [OPTION]
echo.
echo Makes a tenant and its owner, the first account where nobody may register: `bizosaas create-owner`, run in the cluster. The
echo password is asked for, or read from standard input when that is no terminal; it is never on a command line.
echo.
echo   --email EMAIL      the owner's address, which is the login name
echo   --name NAME        what the owner wants to be called
echo   --tenant-name NAME the tenant's name (default: the owner's name or address)
echo   --password-file FILE  a file with the password
echo   --image IMAGE      the operator's image (default: the one beside the services' images)
echo   --files-image IMAGE  an image with a shell (default pgvector/pgvector:pg17)
echo   --admin-user NAME  the database's administrator (default postgres)
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --context NAME     context of kubectl
echo   --timeout SECONDS  longest wait (default 900)
echo   --dry-run          print what would be done
echo   --yes              accepted; nothing is asked but the password
echo   --help
exit /b 0

:checked
if not defined BIZOSAAS_OWNER_EMAIL echo error: --email EMAIL is missing, see --help 1>&2
if not defined BIZOSAAS_OWNER_EMAIL exit /b 2
if not "%PASSWORD_FILE%"=="" if not exist "%PASSWORD_FILE%" echo error: %PASSWORD_FILE% cannot be read 1>&2
if not "%PASSWORD_FILE%"=="" if not exist "%PASSWORD_FILE%" exit /b 1
call "%LIB%" :make_scratch
rem the manifest is UTF-8, and so are the names in it
set "PAGE="
for /f "tokens=2 delims=:." %%P in ('chcp') do set "PAGE=%%P"
chcp 65001 >nul
set "RC=1"
call :main
if not errorlevel 1 set "RC=0"
if not "%PAGE%"=="" chcp %PAGE% >nul
call "%LIB%" :clean_up
exit /b %RC%

:main
rem what cmd.exe takes for its own cannot be handed on; `set` shows the values without taking them apart
>"%SCRATCH%\words" set BIZOSAAS_OWNER_
type nul >"%SCRATCH%\refused"
for %%C in ("&" "<" ">" "|" "^" "%%") do "%FIND%" %%C <"%SCRATCH%\words" >>"%SCRATCH%\refused"
"%FIND%" """" <"%SCRATCH%\words" >>"%SCRATCH%\refused"
for %%F in ("%SCRATCH%\refused") do if not "%%~zF"=="0" set "RC=2"
if "%RC%"=="2" echo error: the address and the names cannot have any of the characters that cmd.exe takes for its own 1>&2
if "%RC%"=="2" exit /b 1
if "%DRY_RUN%"=="no" call :collect_password
if errorlevel 1 exit /b 1
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :find_image
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :find_settings
if errorlevel 1 exit /b 1
set "YAML=create-owner"
rem with =, so that a name may begin with a hyphen
if defined BIZOSAAS_OWNER_EMAIL call :add --email BIZOSAAS_OWNER_EMAIL
if defined BIZOSAAS_OWNER_NAME call :add --name BIZOSAAS_OWNER_NAME
if defined BIZOSAAS_OWNER_TENANT call :add --tenant-name BIZOSAAS_OWNER_TENANT
call "%~dp0lib-operator.bat" :start give "%YAML%, --password-file, /backup/password"
if errorlevel 1 exit /b 1
if "%DRY_RUN%"=="yes" exit /b 0
call "%~dp0lib-operator.bat" :give "%PASSWORD_FILE%" password
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :wait Succeeded Succeeded
if errorlevel 1 goto failed
call "%~dp0lib-operator.bat" :logs
exit /b 0

rem add OPTION VARIABLE: to YAML, in its single quotes. Kubernetes takes $(NAME) in arguments for a variable.
:add
call set "TEXT=%%%~2%%"
set "TEXT=%TEXT:'=''%"
set "TEXT=%TEXT:$=$$%"
set "YAML=%YAML%, '%~1=%TEXT%'"
exit /b 0

rem PASSWORD_FILE: the file with the password, made from what was typed or given when there is none
:collect_password
if not "%PASSWORD_FILE%"=="" goto has_password
set "PASSWORD_FILE=%SCRATCH%\password"
call powershell -NoProfile -Command "function Ask($what) { (New-Object Net.NetworkCredential('', (Read-Host $what -AsSecureString))).Password }; if ([Console]::IsInputRedirected) { $p = [Console]::In.ReadToEnd() } else { $p = Ask ('Password of ' + $env:BIZOSAAS_OWNER_EMAIL); if ($p -cne (Ask 'The same again')) { exit 1 } }; [IO.File]::WriteAllText($env:PASSWORD_FILE, $p)"
if errorlevel 1 echo error: the two passwords differ, or none was given; nothing was changed 1>&2
if errorlevel 1 exit /b 1

:has_password
set "SIZE=0"
if exist "%PASSWORD_FILE%" for %%F in ("%PASSWORD_FILE%") do set "SIZE=%%~zF"
if not "%SIZE%"=="0" exit /b 0
echo error: the password is empty; nothing was changed 1>&2
exit /b 1

:failed
call "%~dp0lib-operator.bat" :logs 1>&2
echo error: no owner was made 1>&2
exit /b 1
