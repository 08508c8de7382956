@echo off
rem One line per service, from its /health. See --help. The same as health-check.sh, for Windows 10 and newer.
setlocal
chcp 65001 >nul
set "TARGET=localhost"
set "PORTS=node"
set "LEFT=0"
set "AS_JSON=no"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--host" goto take_host
if "%~1"=="--ports" goto take_ports
if "%~1"=="--wait" goto take_wait
if "%~1"=="--json" goto take_json
if "%~1"=="--help" goto help
echo error: unknown option %~1 (see --help) 1>&2
exit /b 2

:take_host
set "TARGET=%~2"
shift
shift
goto arguments

:take_ports
set "PORTS=%~2"
shift
shift
goto arguments

:take_wait
set "LEFT=%~2"
shift
shift
goto arguments

:take_json
set "AS_JSON=yes"
shift
goto arguments

:help
echo Usage: scripts\health-check.bat [OPTION]
echo.
echo Asks /health of every service: one line each; exit code 0 when all are healthy (degraded counts: they serve).
echo.
echo   --host HOST        default localhost
echo   --ports node^|api   NodePorts 30101-30105 (default) or API ports 8001-8005
echo   --wait SECONDS     ask again until all are healthy, for about so long
echo   --json             a JSON array instead
echo   --help
echo.
echo BIZOSAAS_PORT_OFFSET is added to the ports.
exit /b 0

:checked
set "FIRST=0"
if "%PORTS%"=="node" set "FIRST=30101"
if "%PORTS%"=="api" set "FIRST=8001"
if "%FIRST%"=="0" echo error: --ports is node or api 1>&2
if "%FIRST%"=="0" exit /b 2
if not "%BIZOSAAS_PORT_OFFSET%"=="" set /a FIRST+=BIZOSAAS_PORT_OFFSET
set "BODY=%TEMP%\bizosaas-health-%RANDOM%.json"
set "CODE=%TEMP%\bizosaas-health-%RANDOM%.txt"
set "QUIET=yes"

:again
set "RESULT=0"
set "ITEMS="
set "PORT=%FIRST%"
call :check identity
if errorlevel 1 set "RESULT=1"
call :check ai-orchestrator
if errorlevel 1 set "RESULT=1"
call :check chatbot
if errorlevel 1 set "RESULT=1"
call :check crm
if errorlevel 1 set "RESULT=1"
call :check analytics
if errorlevel 1 set "RESULT=1"
if "%QUIET%"=="no" goto finished
if "%RESULT%"=="0" goto report
if %LEFT% LEQ 0 goto report
set /a LEFT-=1
rem waits one second; `timeout` does not work without a console
ping -n 2 127.0.0.1 >nul
goto again

:report
rem one more round, which prints
set "QUIET=no"
goto again

:finished
if "%AS_JSON%"=="yes" echo [%ITEMS:~1%]
del /q "%BODY%" "%CODE%" 2>nul
exit /b %RESULT%

rem check NAME: asks the service on PORT and moves on to the next port; errorlevel 1 when it is not healthy
:check
set "URL=http://%TARGET%:%PORT%/health"
set /a PORT+=1
set "HTTP=000"
set "STATUS=unknown"
set "HEALTHY=false"
type nul >"%BODY%"
curl.exe --silent --max-time 5 --output "%BODY%" --write-out "%%{http_code}" "%URL%" >"%CODE%"
set /p HTTP=<"%CODE%"
if "%HTTP%"=="000" set "STATUS=unreachable"
findstr /c:"\"status\":\"unhealthy\"" "%BODY%" >nul
if not errorlevel 1 set "STATUS=unhealthy"
findstr /c:"\"status\":\"degraded\"" "%BODY%" >nul
if not errorlevel 1 set "STATUS=degraded"
findstr /c:"\"status\":\"healthy\"" "%BODY%" >nul
if not errorlevel 1 set "STATUS=healthy"
if "%HTTP%%STATUS%"=="200healthy" set "HEALTHY=true"
if "%HTTP%%STATUS%"=="200degraded" set "HEALTHY=true"
set "NUMBER=%HTTP%"
if "%HTTP%"=="000" set "NUMBER=0"
set "ITEMS=%ITEMS%,{"name":"%~1","url":"%URL%","http":%NUMBER%,"status":"%STATUS%","healthy":%HEALTHY%}"
if "%QUIET%"=="yes" goto verdict
if "%AS_JSON%"=="yes" goto verdict
if "%HTTP%%STATUS%"=="200healthy" echo ✅ %~1
if "%HTTP%%STATUS%"=="200degraded" echo ✅ %~1 (degraded)
if "%HEALTHY%"=="false" echo ❌ %~1 (%STATUS%, HTTP %HTTP%, %URL%)

:verdict
if "%HEALTHY%"=="true" exit /b 0
exit /b 1
